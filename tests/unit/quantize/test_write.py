"""A quantized checkpoint on disk: read by the reference implementation of the format, and whole or absent."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from safetensors.numpy import load_file

from edgekit import config
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import CheckpointError, EdgeKitError
from edgekit.quantize import write
from edgekit.quantize.quantize import quantize
from edgekit.quantize.write import write_checkpoint
from edgekit.recipe import Recipe
from tests.unit.quantize.fakes import BFLOAT16, DTYPES, SPEC, Stored, checkpoint, normal, recipe

RECIPE = recipe("int4", vision="int8", projector="fp32")


def source() -> Checkpoint:
    """Every tensor that the description asks for, the decoder's in bfloat16."""
    shapes = {name.replace(".", "__"): shape for name, shape in tensor_shapes(SPEC).items()}
    dtypes = {name: BFLOAT16 if name.startswith("decoder") else DTYPES[0] for name in shapes}
    return checkpoint(**{name: Stored(normal(*shape, dtype=dtypes[name])) for name, shape in shapes.items()})


@pytest.mark.parametrize("elements", [4 * 2**20, 500])
def test_what_is_written_is_what_the_view_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elements: int) -> None:
    monkeypatch.setattr(write, "_RANGE_ELEMENTS", elements)
    write_checkpoint(source(), RECIPE, tmp_path / "out")
    stored = load_file(tmp_path / "out" / "model.safetensors")
    for name, weight in quantize(source(), RECIPE).tensors.items():
        if is_packed(weight):
            rows = weight.packed_rows(0, weight.shape[0])
            assert np.array_equal(stored.pop(f"{name}.codes"), rows.codes)
            scales = stored.pop(f"{name}.scales")
            assert np.array_equal(scales, rows.scales)
            assert scales.dtype == np.float16
        else:
            expected = cast("Tensor", weight).rows(0, weight.shape[0])
            plain = stored.pop(name)
            assert plain.dtype == expected.dtype
            assert np.array_equal(plain, expected)
    assert not stored
    about = json.loads((tmp_path / "out" / "edgekit.json").read_text(encoding="utf-8"))
    assert len(about["packed"]) == 6 + 7 + 2
    assert about["packed"]["vision.layers.0.mlp.up.weight"] == {"bits": 8, "group": 72, "k": 72}
    assert about["packed"]["decoder.layers.0.mlp.down.weight"] == {"bits": 4, "group": 128, "k": 200}
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
    total = 2 * sum(math.prod(shape) for shape in tensor_shapes(SPEC).values())
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


def test_reading_it_back_gives_the_same_rows(tmp_path: Path) -> None:
    write_checkpoint(source(), RECIPE, tmp_path / "out")
    opened, expected = open_checkpoint(tmp_path / "out"), quantize(source(), RECIPE)
    assert (opened.spec, opened.tokenizer_json) == (SPEC, source().tokenizer_json)
    assert opened.tensors.keys() == expected.tensors.keys()
    for name, weight in expected.tensors.items():
        back, rows = opened.tensors[name], slice(1, weight.shape[0])
        assert back.shape == weight.shape
        if is_packed(weight):
            assert is_packed(back)
            one, other = back.packed_rows(rows.start, rows.stop), weight.packed_rows(rows.start, rows.stop)
            assert (one.bits, one.group, one.k) == (other.bits, other.group, other.k)
            assert np.array_equal(one.codes, other.codes)
            assert np.array_equal(one.scales, other.scales)
        else:
            assert np.array_equal(
                cast("Tensor", back).rows(rows.start, rows.stop), cast("Tensor", weight).rows(rows.start, rows.stop)
            )


def test_quantizing_it_again_changes_nothing(tmp_path: Path) -> None:
    write_checkpoint(source(), RECIPE, tmp_path / "once")
    write_checkpoint(open_checkpoint(tmp_path / "once"), RECIPE, tmp_path / "twice")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("once", "twice")]
    assert files[0] == files[1]
