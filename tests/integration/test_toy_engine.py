"""A fourth engine is a folder (``tests/toy_engine``) and a row of the table: everything else takes it as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.engines.lock import forms
from edgekit.engines.open import engine_here, open_engine
from edgekit.plan import as_built, plan
from edgekit.target.kinds import KINDS
from tests.toy_engine.backend import KIND, ToyEngine

TARGET = """
name = "toy"
title = "A toy"
arch = "any"
memory = "8 GiB"
unified = true
reserved = "1 GiB"
bandwidth = "10 GB/s"
engine = "toy"
slots = 3
context = 512
container = "cpu"
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setitem(KINDS, KIND.name, KIND)


@pytest.fixture
def toy(tmp_path: Path, capsys: Capture) -> Path:
    (tmp_path / "toy.toml").write_text(TARGET)
    out = tmp_path / "bundle"
    assert main(["build", "--target", str(tmp_path / "toy.toml"), "--recipe", "q8", "--out", str(out), "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["compiled"], built["check"]["passed"]) == (True, True)
    return out


def told(capsys: Capture, *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_bundle_is_built_compiled_opened_and_answers(toy: Path, capsys: Capture) -> None:
    bundle = open_bundle(toy)
    assert [(form.misfit, form.lock and form.lock.place.engine) for form in forms(bundle)] == [("", "toy")]
    engine = open_engine(bundle, slots=3)
    assert isinstance(engine, ToyEngine)
    assert engine.kv_bytes == plan(bundle, *as_built(bundle)).components["kv_arena"]
    engine.close()
    assert isinstance(engine_here(bundle), ToyEngine)
    image = next((toy / "golden").glob("*.png"))
    answer = told(capsys, "ask", str(toy), "Is there an effusion?", "--image", str(image))
    assert answer["text"]
    checked = told(capsys, "check", str(toy))
    assert (checked["passed"], checked["stood_in"]) == (True, False)
    assert (checked["device"]["engine"], checked["device"]["engine_version"]) == ("toy", "1.0")


def test_it_is_planned_compiled_again_and_looked_at(toy: Path, capsys: Capture, tmp_path: Path) -> None:
    assert told(capsys, "plan", str(toy), "--target", str(tmp_path / "toy.toml"))["fits"]
    (form,) = (toy / "engines").iterdir()
    damaged = form / "decoder.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert main(["check", str(toy)]) == 1
    capsys.readouterr()
    assert told(capsys, "compile", str(toy))["folder"] == str(form)
    assert told(capsys, "check", str(toy))["passed"]
    assert main(["inspect", str(toy)]) == 0
    assert "for toy 1.0" in capsys.readouterr().out


def test_what_it_can_t_do_is_refused_by_its_row(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "toy.toml").write_text(TARGET)
    recipe = (Path(__file__).parents[2] / "build" / "recipes" / "q8.toml").read_text()
    (tmp_path / "kv8.toml").write_text('kv = "int8"\n' + recipe)
    assert main(["build", "--target", str(tmp_path / "toy.toml"), "--recipe", str(tmp_path / "kv8.toml")]) == 1
    assert "kv = int8, which is for CPUs; toy runs toy" in capsys.readouterr().err


def test_an_engine_that_is_no_row_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.delitem(KINDS, KIND.name)
    (tmp_path / "toy.toml").write_text(TARGET)
    assert main(["build", "--target", str(tmp_path / "toy.toml")]) == 1
    assert "'engine' must be one of 'onnxruntime', 'onnxruntime-cuda', 'tensorrt', not 'toy'" in capsys.readouterr().err
