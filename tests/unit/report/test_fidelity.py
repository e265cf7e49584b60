"""A bundle's fidelity report: what it says of matrices against plain arithmetic, shown and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edgekit.bundle import Bundle
from edgekit.check.fidelity import FIDELITY, read_fidelity
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import PackedTensor, Tensor
from edgekit.cli.main import main
from edgekit.errors import BundleError
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.quantize import quantize
from edgekit.quantize.linears import linears, parts, weight_error
from edgekit.recipe import recipe
from edgekit.report.fidelity import series
from edgekit.target import target
from tests.edited import edit

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return build(embedded(), target("cpu"), recipe("q4"), tmp_path_factory.mktemp("fidelity") / "q4").bundle


def test_every_matrix_s_error_is_that_of_its_weights() -> None:
    source = open_checkpoint(embedded())
    rounded = quantize(source, recipe("q4"))
    matrices = {matrix.name: matrix for matrix in linears(source, rounded, {})}
    for name in ("decoder.layers.2.mlp.up.weight", "vision.layers.0.attn.q.weight", "decoder.embedding.weight"):
        plain, packed = cast("Tensor", source.tensors[name]), cast("PackedTensor", rounded.tensors[name])
        whole = plain.rows(0, plain.shape[0]).astype(np.float64)
        stored = packed.packed_rows(0, plain.shape[0])
        error = float(np.linalg.norm(whole - stored.dequantize()) / np.linalg.norm(whole))
        assert matrices[name].error == pytest.approx(error, rel=0.1)  # of some rows
        assert (matrices[name].bits, matrices[name].bytes, matrices[name].of) == (packed.bits, stored.nbytes, "weights")
    assert weight_error(plain, plain) == 0


def test_a_calibration_s_own_errors_are_taken() -> None:
    source = open_checkpoint(embedded())
    name = "decoder.layers.2.mlp.up.weight"
    (matrix,) = [
        matrix for matrix in linears(source, quantize(source, recipe("q4")), {name: 0.125}) if matrix.name == name
    ]
    assert (matrix.error, matrix.of) == (0.125, "outputs")


def test_parts_add_up() -> None:
    source = open_checkpoint(embedded())
    matrices = linears(source, quantize(source, recipe("q4")), {})
    sums = {part.name: part for part in parts(matrices, source)}
    assert sum(part.bytes for part in sums.values()) == sum(part.bytes for part in matrices)
    assert 4 < sums["decoder"].bits_per_weight < 4.5
    assert 8 < sums["vision"].bits_per_weight < 8.5


def test_a_build_keeps_it_and_the_command_shows_it(bundle: Bundle, capsys: Capture, tmp_path: Path) -> None:
    report = read_fidelity(bundle)
    assert report.figures.kl < 0.01
    assert {component.name for component in report.components} >= {"vision", "decoder"}
    capsys.readouterr()
    assert main(["report", "fidelity", str(bundle.path), "--out", str(tmp_path / "x.svg"), "--json"]) == 0
    told: Any = json.loads(capsys.readouterr().out)
    assert {linear["name"] for linear in told["linears"]} == {linear.name for linear in report.linears}
    assert "mlp.down" in (tmp_path / "x.svg").read_text()
    assert main(["report", "fidelity", str(bundle.path)]) == 0
    out = capsys.readouterr().out
    assert "bits per weight" in out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80


def test_lines_are_of_the_decoder_s_kinds_and_of_the_tower(bundle: Bundle) -> None:
    lines = series(read_fidelity(bundle).linears)
    assert set(lines) == {"vision", *(f"attn.{part}" for part in "qkvo"), "mlp.gate", "mlp.up", "mlp.down"}
    assert [layer for layer, _ in lines["mlp.up"]] == [0, 1, 2, 3]


def test_a_component_of_no_weights_is_damage(bundle: Bundle) -> None:
    file = bundle.path / FIDELITY
    text = file.read_text()
    try:
        edit(file, lambda document: document["parts"][0].update(weights=0))
        with pytest.raises(BundleError, match="a component of no weights"):
            read_fidelity(bundle)
    finally:
        file.write_text(text)


@pytest.mark.parametrize("harm", [lambda text: text[:99], lambda text: text.replace('"format": 1', '"format": 9')])
def test_a_damaged_report_is_one_clear_error(harm: Any, bundle: Bundle) -> None:
    file = bundle.path / FIDELITY
    text = file.read_text()
    try:
        file.write_text(harm(text))
        with pytest.raises(BundleError, match="fidelity"):
            read_fidelity(bundle)
    finally:
        file.write_text(text)
