"""What a tower's Linears read, and static ranges: taken where the output keeps its direction, refused where not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.shapes import has_input_ranges, input_ranges
from edgekit.cli.main import main
from edgekit.export.export import build_graphs
from edgekit.phantom.embedded import embedded
from edgekit.quantize import quantize
from edgekit.quantize.calibrate import pictures
from edgekit.quantize.shown import phantoms
from edgekit.quantize.tower import COSINE, largest_inputs, unlike, with_tower
from edgekit.recipe import recipe

STATIC = replace(recipe("q8"), vision_ranges="static")


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return open_checkpoint(embedded())


@pytest.fixture(scope="module")
def pixels(checkpoint: Checkpoint) -> list[Floats]:
    return pictures(phantoms(checkpoint, 4))


def test_the_largest_input_is_that_of_the_tower_s_own_layers(checkpoint: Checkpoint, pixels: list[Floats]) -> None:
    largest = largest_inputs(BlockModel(checkpoint), pixels)
    assert set(largest) == {name.replace("input_range", "weight") for name in input_ranges(checkpoint.spec)}
    x = np.stack(pixels)
    for block in list(BlockModel(checkpoint).tower)[:2]:
        out, read = block.with_taps(x)
        for name, tap in block.reads.items():
            assert largest[name] == pytest.approx(float(np.abs(read[tap]).max()), rel=1e-4)
        x = out


def test_ranges_are_taken_where_the_output_keeps_its_direction(checkpoint: Checkpoint, pixels: list[Floats]) -> None:
    ranged, tower = with_tower(checkpoint, quantize(checkpoint, STATIC), STATIC, pixels)
    assert tower.cosine is not None
    assert tower.static == (tower.cosine >= COSINE)
    assert has_input_ranges(ranged.tensors) == tower.static


def test_what_cuts_off_pictures_unlike_the_examples_is_refused(
    checkpoint: Checkpoint, pixels: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow: Any = lambda model, shown, progress: {  # noqa: E731
        name: value / 8 for name, value in largest_inputs(model, shown, progress).items()
    }
    monkeypatch.setattr("edgekit.quantize.tower.largest_inputs", narrow)
    ranged, tower = with_tower(checkpoint, quantize(checkpoint, STATIC), STATIC, pixels)
    assert not tower.static
    assert not has_input_ranges(ranged.tensors)
    assert f"{tower.cosine:.4f}" in tower.notes[0]


def test_with_ranges_the_graph_rounds_what_it_reads_by_them(checkpoint: Checkpoint, pixels: list[Floats]) -> None:
    ranged, _ = with_tower(checkpoint, quantize(checkpoint, STATIC), STATIC, pixels)
    if not has_input_ranges(ranged.tensors):
        pytest.skip("this tower does not stand static ranges")
    nodes = {node.op_type for node in build_graphs(ranged, "float32", 64)["vision"].nodes}
    assert "MatMulIntegerToFloat" in nodes
    assert "DynamicQuantizeMatMul" not in nodes


def test_pictures_unlike_any_are_prepared_like_all(checkpoint: Checkpoint) -> None:
    size = checkpoint.spec.image.size
    assert all(
        picture.shape == (3, size, size) and picture.dtype == np.float32 for picture in unlike(checkpoint.spec.image)
    )


def test_a_build_says_whether_they_were_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(f'{part} = "int8"' for part in ("vision", "projector", "embedding", "decoder", "lm_head"))
    (tmp_path / "static.toml").write_text(f'name = "static"\ntitle = "x"\n{text}\nvision_ranges = "static"\n')
    out = tmp_path / "bundle"
    assert main(["build", "--target", "cpu", "--recipe", str(tmp_path / "static.toml"), "--out", str(out)]) == 0
    assert main(["report", "fidelity", str(out)]) == 0
    said = capsys.readouterr().out
    assert "float16's range" in said
    assert "Fixed ranges kept a cosine of" in said
