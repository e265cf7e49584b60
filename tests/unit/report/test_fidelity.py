"""A bundle's fidelity report: what it says of matrices against plain arithmetic, shown and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.check.fidelity import read_fidelity
from edgekit.cli.main import main
from edgekit.report.fidelity import series
from tests.embedded_bundles import EmbeddedBundles

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


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
