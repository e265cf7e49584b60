"""``edgekit tune``: what it says of a training, and of a machine that can't train."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.tune.training import Curriculum, Training

Capture = pytest.CaptureFixture[str]
CURVE: tuple[Mapping[str, float | str], ...] = (
    {"stage": "tower", "step": 1, "seconds": 9.0, "loss": 2.0},
    {"stage": "answers", "step": 2, "seconds": 150.0, "loss": 1.0, "closed": 0.5, "open": 0.25, "description": 0.125},
)


def test_what_was_reached_at_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    asked: list[Any] = []

    def train(out: Path, curriculum: Curriculum, progress: object) -> Training:
        asked.append((out, curriculum))
        return Training(curriculum=curriculum, seconds=150, arch="x86_64", threads=2, versions={}, curve=CURVE)

    monkeypatch.setitem(sys.modules, "edgekit.tune.embedded", SimpleNamespace(train_embedded=train))
    out = tmp_path / "a model"
    assert main(["tune", "embedded", str(out), "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert "closed 50.0 %, open 25.0 %, description 12.5 % on the validation split, after 2 minutes" in said
    assert f"edgekit build '{out}' --target cpu, then edgekit evaluate" in said
    assert asked == [(out, Curriculum(seed=5))]
    assert main(["tune", "embedded", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["plan"]["seed"], document["curve"]) == (1, list(CURVE))


class Missing(ModuleType):
    """A module that lacks another as soon as something is wanted of it."""

    def __getattr__(self, name: str) -> object:
        raise ModuleNotFoundError(f"No module named '{self.__name__}'", name=self.__name__)


@pytest.mark.parametrize(
    ("module", "said"),
    [("torch", "pip install 'edgekit[tune]'"), ("transformers", "edgekit[tune]"), ("edgekit.odd", "internal error")],
)
def test_a_library_of_the_extra_that_is_missing_names_the_extra_and_no_other_does(
    module: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "edgekit.tune.embedded", Missing(module))
    assert main(["tune", "embedded", str(tmp_path / "model")]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert ("internal error" in err) == (module == "edgekit.odd")
