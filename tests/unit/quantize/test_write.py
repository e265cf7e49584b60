"""A quantized checkpoint on disk: read by the reference implementation of the format, and whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from safetensors.numpy import load_file

from edgekit import config
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import CheckpointError, EdgeKitError
from edgekit.quantize.quantize import is_packed, quantize
from edgekit.quantize.write import write_checkpoint
from edgekit.recipe import Recipe
from tests.unit.quantize.fakes import BFLOAT16, SPEC, Stored, checkpoint, normal, recipe

RECIPE = recipe("int4", vision="int8", projector="fp32")


def source() -> Checkpoint:
    return checkpoint(
        vision__layers__0__mlp__up__weight=Stored(normal(100, 72)),
        projector__0__weight=Stored(normal(96, 72, dtype=BFLOAT16)),
        decoder__layers__0__mlp__down__weight=Stored(normal(96, 200, dtype=BFLOAT16)),
        decoder__norm__weight=Stored(normal(96)),
    )


def test_what_is_written_is_what_the_view_holds(tmp_path: Path) -> None:
    write_checkpoint(source(), RECIPE, tmp_path / "out")
    found = load_file(tmp_path / "out" / "model.safetensors")
    for name, weight in quantize(source(), RECIPE).tensors.items():
        if is_packed(weight):
            rows = weight.packed_rows(0, weight.shape[0])
            assert np.array_equal(found.pop(f"{name}.codes"), rows.codes)
            scales = found.pop(f"{name}.scales")
            assert np.array_equal(scales, rows.scales)
            assert scales.dtype == np.float16
        else:
            expected = cast("Tensor", weight).rows(0, weight.shape[0])
            plain = found.pop(name)
            assert plain.dtype == expected.dtype
            assert np.array_equal(plain, expected)
    assert not found
    about = json.loads((tmp_path / "out" / "edgekit.json").read_text(encoding="utf-8"))
    assert about["packed"] == {
        "vision.layers.0.mlp.up.weight": {"bits": 8, "group": 72, "k": 72},
        "decoder.layers.0.mlp.down.weight": {"bits": 4, "group": 128, "k": 200},
    }
    assert config.load(ModelSpec, about["spec"], "edgekit.json") == SPEC
    assert config.load(Recipe, about["recipe"], "edgekit.json") == RECIPE
    assert (tmp_path / "out" / "tokenizer.json").read_text(encoding="utf-8") == source().tokenizer_json


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_checkpoint(source(), RECIPE, tmp_path / name)
    for file in ("model.safetensors", "edgekit.json", "tokenizer.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_progress_counts_bytes_of_the_checkpoint(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    write_checkpoint(source(), RECIPE, tmp_path / "out", lambda stage, done, total: steps.append((done, total)))
    total = 2 * (100 * 72 + 96 * 72 + 96 * 200 + 96)
    assert steps[0] == (0, total)
    assert steps[-1] == (total, total)
    assert steps == sorted(steps)


def test_a_bad_weight_leaves_nothing(tmp_path: Path) -> None:
    broken = checkpoint(decoder__lm_head__weight=Stored(np.full((4, 128), np.nan, np.float16)))
    with pytest.raises(CheckpointError, match="row 0 holds nan"):
        write_checkpoint(broken, RECIPE, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(EdgeKitError, match="exists already"):
        write_checkpoint(source(), RECIPE, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
