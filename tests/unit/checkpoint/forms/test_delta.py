"""Weight deltas are named by the folder's name, or told by their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.checkpoints import DecoderKind, Layout, Tiny, write_checkpoint
from tests.unit.checkpoint.forms.case import copied, refused


@pytest.mark.parametrize("name", ["llava_med_in_text_60k_ckpt2_delta", "LLaVA-7b-delta-v0", "deltas"])
def test_a_published_delta_is_named_by_its_name(whole: Tiny, tmp_path: Path, name: str) -> None:
    path = copied(whole, tmp_path / name, leave=("model.safetensors",))
    (path / "pytorch_model-00001-of-00002.bin").write_bytes(b"\x80\x04.")
    refused(path, f"weight deltas by its name ({name.lower()})", "apply_delta")


@pytest.mark.parametrize(("layout", "decoder"), [("llava", "phi"), ("hf-5", "llama"), ("factory", "llama")])
def test_a_delta_is_told_by_its_weights(tmp_path: Path, layout: Layout, decoder: DecoderKind) -> None:
    """What fine-tuning changed: the trained weights less those of the base."""
    name = write_checkpoint(tmp_path, layout, decoder).path / "model.safetensors"
    tuned = load_file(name)
    change = {key: 1e-3 * np.random.default_rng(0).standard_normal(value.shape) for key, value in tuned.items()}
    save_file({key: value.astype(np.float32) for key, value in change.items()}, name, {"format": "pt"})
    refused(tmp_path, "weight deltas, it seems", "apply_delta")


def test_a_delta_whose_norms_were_not_trained_is_told_too(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    tensors = load_file(path / "model.safetensors")
    zeros = {key: np.zeros_like(value) for key, value in tensors.items() if "norm" in key and "vision" not in key}
    save_file(tensors | zeros, path / "model.safetensors", {"format": "pt"})
    refused(path, "lie around zero", "apply_delta")


def test_a_norm_that_is_no_number_is_damage_and_no_delta(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    tensors = load_file(path / "model.safetensors")
    tensors["model.norm.weight"][1] = np.nan
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    norm: Any = quantize(open_checkpoint(path), recipe("fp16")).tensors["decoder.norm.weight"]
    with pytest.raises(CheckpointError, match="holds nan") as error:
        norm.rows(0, *norm.shape)
    assert "damaged" in error.value.hint
