"""Pictures: encrypted files, on the disk before they are acknowledged, gone when they are removed."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import DiskFull, EdgeKitError, InUse, NotHere
from edgekit.inputs.kept.picture import DICOM, PictureWarning
from edgekit.ward.pictures import PictureFiles
from edgekit.ward.ward import Ward
from tests.wards import FACTS, Picture, open_ward, zero

ME = "account 1"


@pytest.fixture
def conversation(ward: Ward) -> str:
    return ward.conversations.create(ME).id


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "state/pictures").rglob("*") if path.is_file())


def test_a_picture_is_stored_as_it_came(ward: Ward, conversation: str) -> None:
    facts, warning = replace(FACTS, window=(40.0, 400.0)), PictureWarning("burned_in", ("modality",))
    kept = Picture(b"\0pixels" * 1000, DICOM, facts, ("a note",), (warning,))
    picture = ward.pictures.add(ME, conversation, kept)
    assert (picture.media_type, picture.bytes, picture.notes) == (DICOM, 7000, ("a note",))
    assert (picture.facts["width"], picture.facts["window"]) == (3, [40.0, 400.0])
    assert picture.warnings == ({"code": "burned_in", "reasons": ["modality"]},)
    second = ward.pictures.add(ME, conversation, Picture(b"second"))
    assert ward.pictures.of(ME, conversation) == (picture, second)
    assert ward.pictures.named(ME, conversation, second.id) == second
    assert ward.pictures.file(ME, conversation, picture.id) == kept.file


def test_its_file_says_nothing(ward: Ward, conversation: str, tmp_path: Path) -> None:
    other = ward.conversations.create(ME).id
    for id in (conversation, other):
        ward.pictures.add(ME, id, Picture(b"pixels" * 100))
    first, second = files(tmp_path)
    assert first.parent.name == first.name[:2]
    assert first.stat().st_mode & 0o777 == 0o600
    assert first.parent.stat().st_mode & 0o777 == 0o700
    assert b"pixels" not in first.read_bytes()
    assert first.name != second.name, "nobody sees that two conversations have the same picture"


def test_the_same_picture_is_stored_once(ward: Ward, conversation: str, tmp_path: Path) -> None:
    first, second = (ward.pictures.add(ME, conversation, Picture()) for _ in range(2))
    assert first == second
    assert len(files(tmp_path)) == 1


def test_one_that_is_removed_is_gone(ward: Ward, conversation: str, tmp_path: Path) -> None:
    id = ward.pictures.add(ME, conversation, Picture()).id
    ward.pictures.remove(ME, conversation, id)
    assert files(tmp_path) == []
    with pytest.raises(NotHere):
        ward.pictures.file(ME, conversation, id)
    with pytest.raises(NotHere):
        ward.pictures.remove(ME, conversation, id)


def test_one_that_was_asked_about_stays(ward: Ward, conversation: str) -> None:
    id = ward.pictures.add(ME, conversation, Picture()).id
    ward.turns.add(ME, conversation, "?", [id, id])
    with pytest.raises(InUse):
        ward.pictures.remove(ME, conversation, id)
    assert ward.pictures.file(ME, conversation, id) == b"pixels"


@pytest.mark.parametrize("damage", ["zeroed", "cut", "swapped", "missing"])
def test_a_damaged_file_is_one_error(ward: Ward, conversation: str, tmp_path: Path, damage: str) -> None:
    id = ward.pictures.add(ME, conversation, Picture(b"first")).id
    (first,) = files(tmp_path)
    ward.pictures.add(ME, conversation, Picture(b"second"))
    (second,) = set(files(tmp_path)) - {first}
    if damage == "zeroed":
        zero(first, 14, 2)
    elif damage == "cut":
        os.truncate(first, 20)
    elif damage == "swapped":
        first.write_bytes(second.read_bytes())
    else:
        first.unlink()
    with pytest.raises(EdgeKitError, match="picture that is kept") as caught:
        ward.pictures.file(ME, conversation, id)
    assert "edgekit restore" in caught.value.hint


def test_a_full_disk_leaves_nothing_half_written(
    ward: Ward, conversation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="No space is left"):
        ward.pictures.add(ME, conversation, Picture())
    monkeypatch.undo()
    assert files(tmp_path) == []
    assert ward.pictures.of(ME, conversation) == ()
    assert ward.pictures.add(ME, conversation, Picture())


def test_what_a_crash_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        conversation = ward.conversations.create(ME).id
        ward.pictures.add(ME, conversation, Picture())
    (kept,) = files(tmp_path)
    for name in ("a" * 64, f".{kept.name}.0123abcd"):
        (kept.parent / name).write_bytes(b"orphan")
    with open_ward(tmp_path):
        assert len(files(tmp_path)) == 3, "a command removes nothing: a service may be writing it"
    with open_ward(tmp_path, serving=True):
        assert files(tmp_path) == [kept]


def test_a_name_is_its_contents_within_its_conversation(tmp_path: Path) -> None:
    first, second = PictureFiles(tmp_path, b"k" * 32), PictureFiles(tmp_path, b"l" * 32)
    names = [first.name("a", b"bc"), first.name("ab", b"c"), first.name("a", b"bd"), second.name("a", b"bc")]
    assert len(set(names)) == 4
    assert first.name("a", b"bc") == names[0]
