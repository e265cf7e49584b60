"""What is copied is what its hash says, and everybody may read it."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from edgekit.bundle.hashes import FileEntry, Sealed
from edgekit.deploy.copying import Copy, copy_checked, make_folder
from edgekit.errors import BundleError, DiskFull, EdgeKitError

CONTENT = os.urandom((2 << 20) + 7)


def sealed(path: Path, content: bytes) -> Sealed:
    return Sealed(path, FileEntry(len(content), hashlib.sha256(content).hexdigest()), "fetch it again")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").write_bytes(CONTENT)
    return tmp_path / "source"


def test_a_copy_is_the_same_and_readable_whatever_the_umask(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "a" / "b" / "copy"
    umask = os.umask(0o077)
    try:
        copy_checked([Copy(sealed(source, CONTENT), target), Copy(sealed(source, CONTENT), tmp_path / "run", 0o755)])
    finally:
        os.umask(umask)
    assert target.read_bytes() == CONTENT
    assert [path.stat().st_mode & 0o777 for path in (target, target.parent, target.parent.parent)] == [
        0o644,
        0o755,
        0o755,
    ]
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    assert not target.samefile(source)


def test_progress_counts_the_bytes(tmp_path: Path, source: Path) -> None:
    told: list[tuple[str, int, int]] = []
    copy_checked([Copy(sealed(source, CONTENT), tmp_path / "copy")], lambda *arguments: told.append(arguments))
    assert told[-1] == ("copy", len(CONTENT), len(CONTENT))


def test_a_source_that_is_not_what_it_was_is_named(tmp_path: Path, source: Path) -> None:
    damaged = sealed(source, bytes(len(CONTENT)))
    with pytest.raises(BundleError, match="source: the contents differ") as caught:
        copy_checked([Copy(damaged, tmp_path / "copy")])
    assert "fetch it again" in caught.value.hint
    with pytest.raises(BundleError, match="not 3"):
        copy_checked([Copy(sealed(source, b"abc"), tmp_path / "other")])
    with pytest.raises(BundleError, match="gone is missing"):
        copy_checked([Copy(sealed(tmp_path / "gone", b"abc"), tmp_path / "third")])


def test_nothing_is_written_over(tmp_path: Path, source: Path) -> None:
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(EdgeKitError, match="copy can't be written: File exists"):
        copy_checked([Copy(sealed(source, CONTENT), tmp_path / "copy")])
    assert (tmp_path / "copy").read_text() == "mine"


def test_a_disk_that_takes_no_more_is_named_and_not_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")
    real = os.fchmod

    def full(descriptor: int, mode: int) -> None:
        real(descriptor, mode)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(DiskFull, match="copy"):
        copy_checked([Copy(sealed(source, b"abc"), tmp_path / "copy")])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_write_that_finds_no_space_is_of_the_copy(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(DiskFull, match="/dev/copy"):
        monkeypatch.setattr("edgekit.deploy.copying.open", lambda *arguments, **named: full, raising=False)
        copy_checked([Copy(sealed(source, CONTENT), Path("/dev/copy"))])


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeKitError, match="can't be written"):
        make_folder(tmp_path / "file" / "inside")
