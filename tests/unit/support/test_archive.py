"""The archive: a list first, the same bytes of the same texts, its owner's alone, never over anything."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.support import Archive
from edgekit.support.archive import require_new
from edgekit.support.topic import Part

NOON_S = 1_790_856_000  # 2026-10-01 12:00 UTC
PARTS = (Part("a.json", "letters", "{}\n"), Part("longer.txt", "words", "µ\n"))


def test_the_list_stands_first_with_sizes_in_bytes() -> None:
    archive = Archive.of(PARTS, NOON_S)
    assert [part.name for part in archive.parts] == ["contents.txt", "a.json", "longer.txt"]
    lines = archive.parts[0].text.splitlines()
    assert "2026-10-01 12:00:00 UTC" in lines[0]
    assert [line.split() for line in lines[-2:]] == [["a.json", "3", "letters"], ["longer.txt", "3", "words"]]


def test_what_is_packed_comes_out_and_tells_of_nobody() -> None:
    archive = Archive.of(PARTS, NOON_S)
    with tarfile.open(fileobj=io.BytesIO(archive.content()), mode="r:gz") as tar:
        entries = tar.getmembers()
        texts = {entry.name: (tar.extractfile(entry) or io.BytesIO()).read().decode() for entry in entries}
    folder = "edgekit-support-20261001T120000Z"
    assert texts == {f"{folder}/{part.name}": part.text for part in archive.parts}
    for entry in entries:
        assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")
        assert (entry.mtime, entry.mode, entry.isreg()) == (NOON_S, 0o644, True)


def test_the_same_texts_make_the_same_bytes() -> None:
    content = Archive.of(PARTS, NOON_S).content()
    assert Archive.of(PARTS, NOON_S).content() == content
    assert Archive.of(PARTS[:1], NOON_S).content() != content


def test_it_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    archive = Archive.of(PARTS, NOON_S)
    written = archive.write(tmp_path / archive.file_name)
    assert written.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["edgekit-support-20261001T120000Z.tar.gz"]
    content = written.path.read_bytes()
    document = written.document()
    assert document["bytes"] == len(content)
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert document["files"][2] == {"name": "longer.txt", "bytes": 3, "what": "words"}


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("before")
    with pytest.raises(EdgeKitError, match="exists already") as caught:
        Archive.of(PARTS, NOON_S).write(path)
    assert "--out" in caught.value.hint
    assert path.read_text() == "before"
    require_new(tmp_path / "free")
    with pytest.raises(EdgeKitError, match="can't be written"):
        Archive.of(PARTS, NOON_S).write(tmp_path / "nowhere" / "x")
