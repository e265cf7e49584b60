"""Pictures as their files are, and what is said of one that can't be read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from PIL import Image

from edgekit.batch.pictures import Files, Unchanged, digest, read_files
from edgekit.batch.rows import Row
from edgekit.errors import InputError
from edgekit.inputs.images import load_image


def row(folder: Path, *images: str) -> Row:
    return Row(1, "?", images, folder)


def test_files_are_read_as_they_are_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    assert read_files(row(tmp_path, "b.png", "a.png")) == [b"two", b"one"]
    assert digest(b"one") == hashlib.sha256(b"one").hexdigest()
    assert Files().digests(row(tmp_path, "b.png", "a.png")) == [digest(b"two"), digest(b"one")]


def test_what_cannot_be_read_is_called_by_its_name_in_the_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for name, message in (
        ("lost.png", "There is no file lost.png"),
        (".", r"\. is not a file"),
        ("pipe.png", "pipe.png is not a file"),
        ("x" * 300, "can't be read: File name too long"),
    ):
        with pytest.raises(InputError, match=message):
            read_files(row(tmp_path, name))


def test_a_picture_is_decoded_and_one_that_is_none_is_called_by_its_name_alone(tmp_path: Path) -> None:
    Image.new("L", (6, 6), 10).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    asked = row(tmp_path, "b.png", "a.png")
    assert Files().picture(asked, 1) == load_image(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"^b\.png is not a picture"):
        Files().picture(asked, 0)


def test_what_was_read_once_stands(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    unchanged, there, gone = Unchanged(Files()), row(tmp_path, "a.png"), row(tmp_path, "lost.png")
    assert unchanged(there, [digest(b"one")])
    (tmp_path / "a.png").write_bytes(b"two")
    assert unchanged(there, (digest(b"one"),))
    assert not unchanged(there, [digest(b"two")])
    assert not Unchanged(Files())(there, [digest(b"one")])
    assert unchanged(gone, [digest(b"one")])
