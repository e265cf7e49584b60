"""What is stored and has no place in the described model is said, and what means nothing is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.open import open_checkpoint
from tests.checkpoints import LAYOUTS, DecoderKind, Layout, TowerKind, write_checkpoint, write_tower

LAYER = "language_model.model.layers"
TOWER = "vision_tower.vision_model"


def add(path: Path, *names: str) -> None:
    file = path / "model.safetensors"
    save_file(load_file(file) | {name: np.ones(2, np.float32) for name in names}, file, {"format": "pt"})


@pytest.mark.parametrize(("decoder", "tower"), [("llama", "siglip"), ("phi", "clip")])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_said_of_what_every_checkpoint_holds(
    tmp_path: Path, layout: Layout, decoder: DecoderKind, tower: TowerKind
) -> None:
    write_checkpoint(tmp_path, layout, decoder, tower)
    prefix = next(name for name in load_file(tmp_path / "model.safetensors") if "patch_embedding.weight" in name)
    position_ids = prefix.replace("patch_embedding.weight", "position_ids")
    add(tmp_path, position_ids, "model.layers.0.self_attn.rotary_emb.inv_freq")
    assert open_checkpoint(tmp_path).spec.notes == ()


@pytest.mark.parametrize(
    "name",
    [
        f"{LAYER}.0.self_attn.q_proj.bias",
        f"{LAYER}.1.self_attn.q_norm.weight",
        f"{LAYER}.7.mlp.up_proj.weight",
        f"{TOWER}.encoder.layers.0.layer_scale1",
        f"{TOWER}.embeddings.patch_embedding.bias",
        "multi_modal_projector.linear_3.weight",
        "image_newline",
    ],
)
def test_what_the_model_has_no_place_for_is_named(tmp_path: Path, name: str) -> None:
    write_checkpoint(tmp_path, "hf")
    add(tmp_path, name)
    assert open_checkpoint(tmp_path).spec.notes == (
        f"The model that config.json describes has no place for a stored tensor: {name}.",
    )


def test_many_are_counted(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hf")
    add(tmp_path, *(f"{LAYER}.{layer}.self_attn.{part}_proj.bias" for layer in (0, 1) for part in "qkv"))
    (note,) = open_checkpoint(tmp_path).spec.notes
    assert "6 stored tensors" in note
    assert note.endswith("and others.")


def test_a_tower_that_another_takes_the_place_of_is_said_once(tmp_path: Path) -> None:
    tiny: Any = write_checkpoint(tmp_path / "model", "llava")
    folder = write_tower(tmp_path / "tower", tiny)
    (note,) = open_checkpoint(tmp_path / "model", folder).spec.notes
    assert "holds one of its own, which is not used" in note


@pytest.mark.parametrize("layout", ["llava", "hf", "factory"])
@pytest.mark.parametrize("own", [True, False], ids=["beside its own", "in place of none"])
def test_with_another_tower_the_rest_is_judged_as_without(tmp_path: Path, layout: Layout, own: bool) -> None:
    """LLaVA-1.5's first checkpoints hold rotary tables in every layer; others hold the head that they tie."""
    tiny = write_checkpoint(tmp_path / "model", layout)
    folder = write_tower(tmp_path / "tower", tiny)
    file = tmp_path / "model" / "model.safetensors"
    tensors = {name: tensor for name, tensor in load_file(file).items() if own or "vision_tower" not in name}
    save_file(tensors, file, {"format": "pt"})
    add(tmp_path / "model", "model.layers.0.self_attn.rotary_emb.inv_freq", "image_newline")
    notes = [note for note in open_checkpoint(tmp_path / "model", folder).spec.notes if "no place" in note]
    assert notes == ["The model that config.json describes has no place for a stored tensor: image_newline."]


@pytest.mark.parametrize("layout", ["llava", "hf"])
def test_with_another_tower_a_tied_head_is_no_surprise(tmp_path: Path, layout: Layout) -> None:
    tiny = write_checkpoint(tmp_path / "model", layout, text={"tie_word_embeddings": True})
    folder = write_tower(tmp_path / "tower", tiny)
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("embed_tokens.weight"))
    head = "lm_head.weight" if layout == "llava" else "language_model.lm_head.weight"
    save_file(tensors | {head: tensors[name]}, file, {"format": "pt"})
    assert "no place" not in " ".join(open_checkpoint(tmp_path / "model", folder).spec.notes)
