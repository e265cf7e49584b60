"""The file system is flushed at the end of what went well, and what the disk gives back is compared."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from edgekit.bundle.hashes import FileEntry, Sealed
from edgekit.deploy import durable
from edgekit.deploy.durable import flushed, forget, read_back
from edgekit.errors import BundleError, DiskFull, EdgeKitError
from edgekit.profile.loading import _is_cached


def sealed(path: Path, content: bytes) -> Sealed:
    return Sealed(path, FileEntry(len(content), hashlib.sha256(content).hexdigest()), "replace the disk")


def test_the_file_system_is_flushed_when_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = durable._sync

    def noted(descriptor: int) -> None:
        calls.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert (tmp_path / "file").read_text() == "written"
        real(descriptor)

    monkeypatch.setattr(durable, "_sync", noted)
    with flushed(tmp_path):
        (tmp_path / "file").write_text("written")
        assert not calls
    assert calls == [str(tmp_path.resolve())]


def test_nothing_is_flushed_where_something_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_sync", lambda descriptor: pytest.fail("flushed"))
    with pytest.raises(KeyboardInterrupt), flushed(tmp_path):
        raise KeyboardInterrupt


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EIO, EdgeKitError)])
def test_what_the_disk_refuses_when_it_is_flushed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[EdgeKitError]
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable, "_sync", refuse)
    with pytest.raises(kind, match=str(tmp_path)), flushed(tmp_path):
        pass


def test_a_refusal_of_the_system_s_is_an_error_of_its_number() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        durable._sync(-1)


def test_what_is_forgotten_is_read_from_the_disk(tmp_path: Path) -> None:
    path, content = tmp_path / "file", os.urandom(1 << 16)
    with flushed(tmp_path):
        path.write_bytes(content)
    assert _is_cached(path)
    forget(path)
    if _is_cached(path):
        pytest.skip("this file system keeps its files in memory")
    read_back([sealed(path, content)])


def test_what_came_back_as_something_else_is_named(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"as it was")
    other.write_bytes(b"as it vas")
    with pytest.raises(BundleError, match="other: the contents differ") as caught:
        read_back([sealed(one, b"as it was"), sealed(other, b"as it was")])
    assert "replace the disk" in caught.value.hint
    forget(tmp_path / "gone")
    with pytest.raises(BundleError, match="gone is missing"):
        read_back([sealed(tmp_path / "gone", b"")])


def test_reading_back_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    told: list[tuple[str, int, int]] = []
    read_back([sealed(tmp_path / "file", b"12345")], lambda *arguments: told.append(arguments))
    assert told[-1] == ("read back", 5, 5)
