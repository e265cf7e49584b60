"""A folder and a tar hold the same, are there whole or not at all, and are compared with what was written."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from pathlib import Path

import pytest

from edgekit.bundle.hashes import FileEntry
from edgekit.errors import EdgeKitError
from edgekit.ward.backup.archive import Writer, new_archive, open_archive
from edgekit.ward.backup.manifest import NAME

PLACES = ["backup", "backup.tar"]


def _make(place: Path, file: Path) -> dict[str, FileEntry]:
    file.write_bytes(b"0123456789")
    with new_archive(place) as archive:
        archive.put_file("ward.db", file, 4)
        archive.put("pictures/ab/picture", b"\x00" * 3_000_000)
        archive.put(NAME, b"{}")
        return archive.files


@pytest.mark.parametrize("name", PLACES)
def test_what_was_put_in_comes_out(tmp_path: Path, name: str) -> None:
    files = _make(tmp_path / name, tmp_path / "file")
    assert files["ward.db"].bytes == 4
    with open_archive(tmp_path / name) as archive:
        assert archive.manifest() == b"{}"
        archive.copy_out("ward.db", files["ward.db"], tmp_path / "out")
        archive.copy_out("pictures/ab/picture", files["pictures/ab/picture"], tmp_path / "picture")
        assert (tmp_path / "out").read_bytes() == b"0123"
        assert (tmp_path / "picture").read_bytes() == b"\x00" * 3_000_000
        with pytest.raises(EdgeKitError, match="is damaged: keys"):
            archive.open("keys.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "file", "out", "picture"])


@pytest.mark.parametrize("name", PLACES)
def test_it_is_its_owner_s_alone(tmp_path: Path, name: str) -> None:
    _make(tmp_path / name, tmp_path / "file")
    paths = [tmp_path / name, *(tmp_path / name).rglob("*")]
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("entry", [FileEntry(4, "0" * 64), FileEntry(3, ""), FileEntry(5, "")])
def test_what_is_not_as_it_was_written_is_an_error(tmp_path: Path, name: str, entry: FileEntry) -> None:
    files = _make(tmp_path / name, tmp_path / "file")
    wrong = FileEntry(entry.bytes, entry.sha256 or files["ward.db"].sha256)
    with open_archive(tmp_path / name) as archive, pytest.raises(EdgeKitError, match="is damaged: ward"):
        archive.copy_out("ward.db", wrong, tmp_path / "out")


@pytest.mark.parametrize("name", PLACES)
def test_an_error_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError), new_archive(tmp_path / name) as archive:
        archive.put("ward.db", b"0123")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", PLACES)
def test_what_is_there_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(EdgeKitError, match="exists already"), new_archive(tmp_path / name):
        pass
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize("name", PLACES)
def test_a_full_disk_is_one_clear_error(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(archive: Writer, name: str, stream: object, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        pytest.raises(EdgeKitError, match="No space is left to write"),
        new_archive(tmp_path / name) as archive,
        monkeypatch.context() as patch,
    ):
        patch.setattr(type(archive), "_write", full)
        archive.put("ward.db", b"0123")
    assert not list(tmp_path.iterdir())


def test_a_tar_s_links_are_nothing(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "backup.tar", "w") as tar:
        link = tarfile.TarInfo(NAME)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    with open_archive(tmp_path / "backup.tar") as archive, pytest.raises(EdgeKitError, match="is damaged: manifest"):
        archive.manifest()


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, None])
def test_what_is_no_backup_is_a_message(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "backup.tar").write_bytes(content)
    with pytest.raises(EdgeKitError, match=r"no backup"), open_archive(tmp_path / "backup.tar") as archive:
        archive.manifest()


def test_a_tar_that_is_cut_off_is_a_message(tmp_path: Path) -> None:
    files = _make(tmp_path / "backup.tar", tmp_path / "file")
    content = (tmp_path / "backup.tar").read_bytes()
    (tmp_path / "backup.tar").write_bytes(content[: len(content) // 2])
    with pytest.raises(EdgeKitError, match=r"cut off|is damaged"), open_archive(tmp_path / "backup.tar") as archive:
        archive.copy_out("pictures/ab/picture", files["pictures/ab/picture"], tmp_path / "out")
