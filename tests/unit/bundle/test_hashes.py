"""Hashing: the digests that other tools give, what is not as it was by its name, and nothing left running."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import hashes
from edgekit.bundle.hashes import Sealed, check_hashes, hash_files, read_sealed
from edgekit.errors import BundleError

MIB = 1 << 20
SIZES = {"a": 0, "b/c": 1, "b/d": MIB, "e": 3 * MIB + 7}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in SIZES.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(os.urandom(size))
    return tmp_path / "folder"


@pytest.fixture
def files(folder: Path) -> list[Sealed]:
    return [Sealed(folder / name, entry, f"fetch {name} again") for name, entry in hash_files(folder).items()]


def test_digests_are_those_of_the_whole_files(folder: Path) -> None:
    entries = hash_files(folder)
    assert {name: entry.bytes for name, entry in entries.items()} == SIZES
    for name, entry in entries.items():
        assert entry.sha256 == hashlib.sha256((folder / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("work", [hash_files, lambda folder, progress: check_hashes(hashed(folder), progress)])
def test_progress_rises_to_the_whole_in_the_caller_s_thread(folder: Path, work: Callable[..., object]) -> None:
    seen: list[tuple[int, int]] = []

    def tell(stage: str, done: int, total: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        seen.append((done, total))

    work(folder, tell)
    assert seen == sorted(seen)
    assert seen.count((sum(SIZES.values()), sum(SIZES.values()))) == 1  # an end that came twice would be told twice
    assert seen[-1][0] == seen[-1][1]


def hashed(folder: Path) -> list[Sealed]:
    return [Sealed(folder / name, entry, "") for name, entry in hash_files(folder).items()]


def become_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def become_a_link(file: Path) -> None:
    file.rename(file.with_name("f"))
    file.symlink_to("f")


def become_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


HARMS: list[tuple[Callable[[Path], object], str]] = [
    (lambda file: file.write_bytes(bytes(3 * MIB + 7)), "the contents differ from what was sealed"),
    (lambda file: file.write_bytes(b"short"), f"has 5 bytes, not {3 * MIB + 7}"),
    (lambda file: file.write_bytes(file.read_bytes() + b"+"), f"has {3 * MIB + 8} bytes, not {3 * MIB + 7}"),
    (Path.unlink, "is missing"),
    (become_a_folder, "can't be read: Is a directory"),
    (become_a_link, "is a link, where a file was sealed"),
    (become_a_pipe, f"has 0 bytes, not {3 * MIB + 7}"),
]


@pytest.mark.parametrize(("harm", "said"), HARMS)
def test_what_is_not_as_it_was_is_named(files: list[Sealed], harm: Callable[[Path], object], said: str) -> None:
    check_hashes(files)
    harm(files[-1].path)
    with pytest.raises(BundleError) as refused:
        check_hashes(files)
    assert refused.value.message == f"{files[-1].path}: {said}" or refused.value.message == f"{files[-1].path} {said}"
    assert refused.value.hint


@pytest.mark.parametrize(
    ("harm", "said"), [(become_a_folder, "Is a directory"), (become_a_link, "is a link"), (become_a_pipe, "no file")]
)
def test_a_record_that_is_no_file_is_named(tmp_path: Path, harm: Callable[[Path], object], said: str) -> None:
    record = tmp_path / "record.json"
    record.write_bytes(b"{}")
    assert read_sealed(record) == b"{}"
    harm(record)
    with pytest.raises(BundleError, match=said) as refused:
        read_sealed(record)
    assert str(record) in refused.value.message


def test_the_remedy_is_the_file_s_own(files: list[Sealed]) -> None:
    files[1] = replace(files[1], entry=replace(files[1].entry, sha256="0" * 64))
    with pytest.raises(BundleError, match=r"b/c: the contents differ") as refused:
        check_hashes(files)
    assert "fetch b/c again" in refused.value.hint


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_that_can_t_be_read_is_named(files: list[Sealed], number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        if path == str(files[2].path):
            raise OSError(number, os.strerror(number), path)
        return os.open(path, flags)

    monkeypatch.setattr(hashes, "_no_link", refuse)
    with pytest.raises(BundleError) as refused:
        check_hashes(files)
    assert refused.value.message == f"{files[2].path} can't be read: {os.strerror(number)}"


def test_files_are_read_side_by_side(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(len(SIZES))

    def meet(path: str, flags: int) -> int:
        together.wait(20)
        return os.open(path, flags)

    monkeypatch.setattr(hashes, "cores", lambda: len(SIZES))
    monkeypatch.setattr(hashes, "_no_link", meet)
    assert len(hash_files(folder)) == len(SIZES)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_ends_the_reading(
    tmp_path: Path, failure: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of 64 GiB, of which nothing is stored: read to its end it would take a minute."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 << 30)

    def interrupt(stage: str, done: int, total: int) -> None:
        assert done < total
        if done:
            raise failure

    monkeypatch.setattr(hashes, "_TICK_S", 0.01)
    with pytest.raises(failure):
        hash_files(tmp_path, interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("edgekit-hash")]


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        with (tmp_path / name).open("wb") as file:
            file.truncate(64 * MIB)
    monkeypatch.setattr(hashes, "cores", lambda: 2)
    tracemalloc.start()
    try:
        hash_files(tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


def test_nothing_to_read_is_done_at_once(tmp_path: Path) -> None:
    reports: list[Any] = []
    assert hash_files(tmp_path, lambda *step: reports.append(step)) == {}
    assert reports == [("seal", 0, 0)]
