"""An adapter, alone or beside a model, is named with its base, before anything in it is read as a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import Tiny, write_checkpoint
from tests.unit.checkpoint.forms.case import LORA, copied, refused, save_beside, write_adapter


@pytest.mark.parametrize("kind", ["LORA", "IA3"])
def test_an_adapter_alone_is_named_with_its_base(tmp_path: Path, kind: str) -> None:
    path = write_adapter(tmp_path, kind=kind)
    refused(path, f"{kind} adapter of liuhaotian/llava-v1.5-7b", "merge_and_unload")


def test_an_adapter_of_llavas_own_training_is_merged_by_its_script(whole: Tiny, tmp_path: Path) -> None:
    path = write_adapter(copied(whole, tmp_path, leave=("model.safetensors",)))
    (path / "non_lora_trainables.bin").write_bytes(b"\x80\x04.")
    refused(path, "adapter of liuhaotian", "merge_lora_weights.py")


@pytest.mark.parametrize("shards", [1, 2])
def test_an_adapter_beside_a_model_is_not_left_out_in_silence(tmp_path: Path, shards: int) -> None:
    path = write_adapter(write_checkpoint(tmp_path / "m", "llava", shards=shards).path, base="")
    refused(path, "a model and, in adapter_config.json, a LORA adapter", "move adapter_config.json")


@pytest.mark.parametrize(
    "name", [f"{LORA}.lora_A.weight", f"{LORA}.lora_magnitude_vector", "base_model.model.x", f"{LORA}.ia3_l"]
)
def test_an_adapters_tensors_under_a_models_file_name(whole: Tiny, tmp_path: Path, name: str) -> None:
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)})
    refused(path, f"the tensors of an adapter ({name})", "merge_and_unload")


@pytest.mark.parametrize("inner", ["q_proj.base_layer.weight", "q_proj.lora_A.default.weight"])
def test_a_model_that_peft_still_wraps(whole: Tiny, tmp_path: Path, inner: str) -> None:
    tensors = {f"model.layers.0.self_attn.{inner}", "model.embed_tokens.weight"}
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32) for name in sorted(tensors)})
    refused(path, "not merged into it", "merge_and_unload")


def test_the_folder_of_a_tower_is_looked_at_in_the_same_way(whole: Tiny, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="LORA adapter of openai"):
        open_checkpoint(whole.path, write_adapter(tmp_path, "openai/clip-vit-large-patch14-336"))
