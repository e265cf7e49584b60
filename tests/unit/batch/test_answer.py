"""Pictures as their files are, and what is said of one that can't be read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from edgekit.batch.answer import Answer, digest, failed, read_files
from edgekit.batch.rows import Row
from edgekit.errors import InputError


def row(folder: Path, *images: str) -> Row:
    return Row(1, "?", images, folder)


def test_files_are_read_as_they_are_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    assert read_files(row(tmp_path, "b.png", "a.png")) == [b"two", b"one"]
    assert digest(b"one") == hashlib.sha256(b"one").hexdigest()


def test_what_cannot_be_read_is_called_by_its_name_in_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for name, message in (
        ("lost.png", "There is no file lost.png"),
        (".", r"\. is not a file"),
        ("pipe.png", "pipe.png is not a file"),
        ("x" * 300, "can't be read: File name too long"),
    ):
        with pytest.raises(InputError, match=message):
            read_files(row(tmp_path, name))


def test_an_error_is_one_line() -> None:
    answer = failed(InputError("It is lost", "Look for it."), ["00"])
    assert answer == Answer(sha256=("00",), error="It is lost. Look for it.")
