"""A head that config.json ties to the embedding: what is stored wins, as transformers reads the same folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from edgekit.plan.subject import subject_of
from edgekit.recipe import recipe
from tests.checkpoints import Layout, write_checkpoint

HF: list[Layout] = ["hf", "hf-4.52", "hf-5"]
LAYOUTS: list[Layout] = [*HF, "llava", "factory"]
TIED = {"tie_word_embeddings": True}


def edit(
    path: Path, tensors: Any = None, text: dict[str, Any] | None = None, outer: dict[str, Any] | None = None
) -> None:
    """Change config.json, and what is stored under each name: ``tensors`` gets and returns all of them."""
    config = json.loads((path / "config.json").read_text()) | (outer or {})
    if text:
        config["text_config"] |= text
    (path / "config.json").write_text(json.dumps(config))
    if tensors is not None:
        save_file(tensors(load_file(path / "model.safetensors")), path / "model.safetensors", {"format": "pt"})


def head_and_embedding(tensors: dict[str, Any]) -> tuple[str, str]:
    head, embedding = (next(name for name in tensors if part in name) for part in ("lm_head.w", "embed_tokens.w"))
    return head, embedding


def equal_head(tensors: dict[str, Any]) -> dict[str, Any]:
    head, embedding = head_and_embedding(tensors)
    return tensors | {head: tensors[embedding].copy()}


def almost_equal_head(tensors: dict[str, Any]) -> dict[str, Any]:
    head, _ = head_and_embedding(tensors)
    changed = equal_head(tensors)
    changed[head][-1, -1] += 0.5
    return changed


def head_alone(tensors: dict[str, Any]) -> dict[str, Any]:
    _, embedding = head_and_embedding(tensors)
    return {name: value for name, value in tensors.items() if name != embedding}


def values(tensor: Any) -> Any:
    return tensor.rows(0, tensor.shape[0]).astype(np.float32)


CASES: list[tuple[Layout, str, Any]] = [
    *(("hf-5", flag, stored) for flag in ("text", "outer") for stored in (None, equal_head, almost_equal_head)),
    *((layout, "text", head_alone) for layout in HF),
    ("hf", "text", None),
    ("hf-4.52", "outer", None),
    ("hf", "outer", equal_head),
]


@pytest.mark.parametrize(("layout", "flag", "stored"), CASES)
def test_head_and_embedding_are_those_that_transformers_loads(
    tmp_path: Path, layout: Layout, flag: str, stored: Any
) -> None:
    import transformers

    write_checkpoint(tmp_path, layout)
    edit(tmp_path, stored, **{flag: TIED})
    theirs = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path, dtype="float32")
    checkpoint = open_checkpoint(tmp_path)
    head, embedding = (checkpoint.tensors[f"decoder.{part}.weight"] for part in ("lm_head", "embedding"))
    np.testing.assert_array_equal(values(head), theirs.lm_head.weight.detach())
    np.testing.assert_array_equal(values(embedding), theirs.model.language_model.embed_tokens.weight.detach())
    tied = theirs.lm_head.weight is theirs.model.language_model.embed_tokens.weight
    assert checkpoint.spec.decoder.tied == tied == (stored in (equal_head, head_alone))
    assert any("EdgeKit takes what is stored" in note for note in checkpoint.spec.notes) == (not tied)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tied_head_that_is_not_stored_is_the_embedding(tmp_path: Path, layout: Layout) -> None:
    write_checkpoint(tmp_path, layout, text=TIED)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.spec.decoder.tied
    assert checkpoint.tensors["decoder.lm_head.weight"] == checkpoint.tensors["decoder.embedding.weight"]


@pytest.mark.parametrize("layout", ["llava", "factory"])
@pytest.mark.parametrize(("stored", "tied"), [(None, False), (equal_head, True), (head_alone, True)])
def test_llavas_own_layouts_are_read_alike(tmp_path: Path, layout: Layout, stored: Any, tied: bool) -> None:
    write_checkpoint(tmp_path, layout)
    edit(tmp_path, stored, outer=TIED)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.spec.decoder.tied == tied
    name = next(name for name in load_file(tmp_path / "model.safetensors") if "lm_head.w" in name)
    expected = load_file(tmp_path / "model.safetensors")[name]
    np.testing.assert_array_equal(values(checkpoint.tensors["decoder.lm_head.weight"]), expected)


def planned(path: Path) -> Any:
    return subject_of(open_checkpoint(path), recipe("q8")).tensors


def test_a_head_of_its_own_is_counted_and_planned(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hf")
    plain, plain_kinds = inspect(open_checkpoint(tmp_path)), planned(tmp_path)
    edit(tmp_path, text=TIED)
    assert inspect(open_checkpoint(tmp_path)).parameters == plain.parameters
    assert planned(tmp_path) == plain_kinds
    edit(tmp_path, equal_head)
    assert planned(tmp_path) != plain_kinds


def test_a_missing_head_is_an_error_where_nothing_is_tied(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava", text=TIED, config={"tie_word_embeddings": False})
    with pytest.raises(CheckpointError, match=r"lacks 1 of \d+ tensors: lm_head.weight"):
        open_checkpoint(tmp_path)


def test_a_missing_embedding_is_an_error_where_nothing_is_tied(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava")
    edit(tmp_path, head_alone)
    with pytest.raises(CheckpointError, match=r"has no embedding; EdgeKit looked for model.embed_tokens.weight"):
        open_checkpoint(tmp_path)
