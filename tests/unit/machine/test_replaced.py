"""What was replaced under a process that runs: of real ones, and of those that files stand for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.machine.replaced import replaced_libraries

_WAITS = """
import mmap, sys
file = open(sys.argv[1], "rb")
mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
print("mapped", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "libnothing.so.580.95"
    path.write_bytes(b"\0" * 8192)
    return path


@pytest.fixture
def process(library: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the library mapped."""
    command = [sys.executable, "-c", _WAITS, str(library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdin
        assert running.stdout.readline() == "mapped\n"
        yield running
        running.stdin.close()


def of_ours(process: subprocess.Popen[str], library: Path) -> tuple[str, ...]:
    """What is told of the library's folder: the machine's own may be updated while this runs."""
    told = replaced_libraries(process.pid)
    assert told is not None
    return tuple(path for path in told if path.startswith(str(library.parent)))


def test_nothing_is_told_of_what_is_as_it_was(process: subprocess.Popen[str], library: Path) -> None:
    assert of_ours(process, library) == ()


def test_one_that_another_was_laid_over_is_told(process: subprocess.Popen[str], library: Path) -> None:
    """As a package manager does it."""
    shutil.copy(library, library.with_suffix(".new"))
    os.replace(library.with_suffix(".new"), library)
    assert of_ours(process, library) == (str(library),)


def test_one_that_was_removed_is_told(process: subprocess.Popen[str], library: Path) -> None:
    library.unlink()
    assert of_ours(process, library) == (str(library),)


def test_a_process_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    assert replaced_libraries(1, tmp_path) is None


def recorded(proc: Path, maps: str) -> tuple[str, ...] | None:
    (proc / "7/root/usr/lib").mkdir(parents=True)
    (proc / "7/exe").symlink_to("/usr/bin/python3.11")
    (proc / "7/maps").write_text(maps, encoding="utf-8")
    return replaced_libraries(7, proc)


def test_only_libraries_and_the_program_count(tmp_path: Path) -> None:
    maps = [
        "7f00-7f01 r-xp 00000000 00:01 5   /memfd:made.so (deleted)",
        "7f00-7f01 rw-s 00000000 00:01 5   /dev/zero (deleted)",
        "7f00-7f01 r-xp 00000000 00:01 5   /tmp/ffi1234 (deleted)",
        "7f00-7f01 r--p 00000000 00:01 5   /mnt/release/bundle/decoder.data (deleted)",
        "7f00-7f01 r-xp 00000000 00:00 0   [vdso]",
        "7f00-7f01 r-xp 00000000 00:00 0 ",
    ]
    assert recorded(tmp_path / "quiet", "\n".join(maps)) == ()
    maps += [
        "5500-5501 r-xp 00000000 fd:01 6   /usr/bin/python3.11 (deleted)",
        "7f00-7f01 r-xp 00000000 fd:01 7   /usr/lib/with space/libcuda.so.580.95.05 (deleted)",
        "7f01-7f02 rw-p 00001000 fd:01 7   /usr/lib/with space/libcuda.so.580.95.05 (deleted)",
    ]
    told = recorded(tmp_path / "updated", "\n".join(maps))
    assert told == ("/usr/bin/python3.11", "/usr/lib/with space/libcuda.so.580.95.05")


def test_inodes_are_compared_where_both_are_numbered_alike(tmp_path: Path) -> None:
    """A file that keeps a second name has one still: only its inode tells that another has the first one."""
    there = tmp_path / "alike/7/root/usr/lib/libcuda.so.1"
    there.parent.mkdir(parents=True)
    there.touch()
    seen = there.stat()
    (tmp_path / "alike/7/root/usr/lib").rename(tmp_path / "lib")
    shutil.rmtree(tmp_path / "alike")
    device = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}"
    for name, told, expected in (
        ("same", f"{device} {seen.st_ino}", ()),
        ("other", f"{device} {seen.st_ino + 1}", ("/usr/lib/libcuda.so.1",)),
        ("numbered otherwise", f"ff:ff {seen.st_ino + 1}", ()),
    ):
        folder = tmp_path / name / "7"
        (folder / "root/usr").mkdir(parents=True)
        (folder / "root/usr/lib").symlink_to(tmp_path / "lib")
        (folder / "exe").symlink_to("/usr/bin/python3")
        (folder / "maps").write_text(f"7f00-7f01 r-xp 00000000 {told}   /usr/lib/libcuda.so.1\n")
        assert replaced_libraries(7, tmp_path / name) == expected, name
