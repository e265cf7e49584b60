"""``edgekit export``: the files that it wrote, in its table and its document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.units import format_bytes
from tests.rendered import rows


def test_every_file_is_told_with_its_bytes(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(stored), "--out", str(stored.parent / "a")]) == 0
    table = rows(capsys.readouterr().out)
    files = {path: path.stat().st_size for path in (stored.parent / "a").rglob("*") if path.is_file()}
    assert len(files) > 3
    assert sorted(table[1:]) == sorted([str(path), format_bytes(size)] for path, size in files.items())
    assert main(["export", str(stored), "--target", "rtx3050", "--out", str(stored.parent / "b"), "--json"]) == 0
    files = {path: path.stat().st_size for path in (stored.parent / "b").rglob("*") if path.is_file()}
    assert json.loads(capsys.readouterr().out)["files"] == {str(path): size for path, size in files.items()}


def test_what_is_wrong_is_one_clear_error(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(stored.parent / "a")
    assert main(["export", str(stored)]) == 2
    assert main(["export", str(stored), "--out", out, "--target", "orni"]) == 1
    assert "Did you mean 'orin'?" in capsys.readouterr().err
    (stored / "model.safetensors").unlink()
    assert main(["export", str(stored), "--out", out]) == 1
    assert str(stored) in capsys.readouterr().err
    assert not Path(out).exists()
