"""``edgekit quantize`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main


def test_it_writes_a_smaller_checkpoint_and_says_so(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = stored.parent / "small"
    assert main(["quantize", str(stored), "--recipe", "q4", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["checkpoint"] == str(out)
    assert said["recipe"] == "q4"
    assert said["bytes"] == sum(file.stat().st_size for file in out.iterdir())
    small, plain = ((folder / "model.safetensors").stat().st_size for folder in (out, stored))
    assert said["source_bytes"] == plain
    assert small < 0.6 * plain


def test_it_refuses_a_folder_that_is_there(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(stored.iterdir())
    assert main(["quantize", str(stored), "--out", str(stored)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert sorted(stored.iterdir()) == before
