"""Counted memory against memory that was just taken, given back or mapped, and against what psutil counts."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edgekit.child import environment
from edgekit.machine.memory import (
    MappedFiles,
    Memory,
    Peak,
    address_space_bytes,
    mapped_files,
    memory,
    shared_out_bytes,
)
from edgekit.units import MIB

TOLERANCE = 2 * MIB
SIZE = 48 * MIB


def test_another_process_s_memory_is_counted_as_well() -> None:
    command = [sys.executable, "-c", f"block = b'x' * {SIZE}; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        own_bytes = memory(Path(f"/proc/{child.pid}")).own_bytes
        child.communicate(b"\n")
    assert SIZE < own_bytes < SIZE + 32 * MIB


def test_own_memory_is_what_was_taken_and_touched() -> None:
    before = memory()
    with mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE) as block:  # anonymous, as an allocator's
        block.write(b"x" * 1)
        untouched = memory()
        for page in range(0, SIZE, mmap.PAGESIZE):
            block[page] = 1
        touched = memory()
    assert untouched.own_bytes - before.own_bytes < TOLERANCE
    assert touched.own_bytes - before.own_bytes == pytest.approx(SIZE, abs=TOLERANCE)
    assert touched.mapped_bytes - before.mapped_bytes < TOLERANCE
    assert memory().own_bytes - before.own_bytes < TOLERANCE


def test_a_file_that_is_read_through_a_mapping_is_mapped_memory(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"w" * SIZE)
    before = memory()
    with (tmp_path / "weights").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as block:
        assert sum(block[:: mmap.PAGESIZE]) == SIZE // mmap.PAGESIZE * ord("w")
        after = memory()
    assert after.mapped_bytes - before.mapped_bytes == pytest.approx(SIZE, abs=TOLERANCE)
    assert after.own_bytes - before.own_bytes < TOLERANCE


def test_all_that_is_resident_is_what_others_count() -> None:
    assert memory().resident_bytes == pytest.approx(psutil.Process().memory_info().rss, abs=TOLERANCE)


# In a process of its own: one that has run other tests may give back as much meanwhile.
GONE = f"""
import time
from edgekit.machine.memory import Peak, memory

before = memory()
with Peak() as peak:
    block = bytearray(b"x") * {SIZE}
    time.sleep(0.05)
    del block
    time.sleep(0.05)
print(memory().own_bytes - before.own_bytes, peak.memory.own_bytes - before.own_bytes)
"""


def test_a_peak_is_seen_that_has_gone_when_it_is_read() -> None:
    done = subprocess.run([sys.executable, "-c", GONE], capture_output=True, text=True, check=True, env=environment())
    left, most = map(int, done.stdout.split())
    assert left < TOLERANCE
    assert most == pytest.approx(SIZE, abs=TOLERANCE)


def test_a_peak_ends_when_the_block_fails() -> None:
    with pytest.raises(KeyError), Peak() as peak:
        raise KeyError
    seen = peak.memory
    block = bytearray(b"x") * SIZE
    time.sleep(0.02)
    assert peak.memory == seen
    del block


# In a process of its own, which has few libraries: how many processes share those changes while other tests run.
SHARES = """
import mmap, subprocess, sys
from edgekit.machine.memory import memory, shared_out_bytes

READER = '''
import mmap, sys
file = open(sys.argv[1], "rb")
block = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
sum(block[::4096])
print("read", flush=True)
sys.stdin.read()
'''
before = shared_out_bytes()
assert before <= memory().resident_bytes + 2**20
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as block:
    assert sum(block[:: mmap.PAGESIZE])
    alone = shared_out_bytes() - before
    command = [sys.executable, "-c", READER, sys.argv[1]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        other.stdout.readline()
        print(alone, shared_out_bytes() - before)
        other.communicate("")
"""


def test_a_share_counts_own_pages_in_full_and_shared_ones_by_how_many_map_them(tmp_path: Path) -> None:
    if not shared_out_bytes():
        pytest.skip("this kernel tells no shares")
    size = 8 * SIZE
    (tmp_path / "weights").write_bytes(b"w" * size)
    command = [sys.executable, "-c", SHARES, str(tmp_path / "weights")]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert ran.returncode == 0, ran.stderr
    alone, together = map(int, ran.stdout.split())
    assert alone == pytest.approx(size, rel=0.04)
    assert together == pytest.approx(size / 2, rel=0.04)


def test_weights_that_are_mapped_are_told_in_full_read_or_not(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"w" * SIZE)
    assert mapped_files(tmp_path) == MappedFiles(0, 0)
    with (tmp_path / "weights").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as block:
        assert mapped_files(tmp_path) == MappedFiles(SIZE, 0)
        assert mapped_files(tmp_path / "other").size_bytes == 0
        assert block[0]
        assert 0 < mapped_files(tmp_path).resident_bytes < SIZE / 2  # and pages around it
        assert sum(block[:: mmap.PAGESIZE])
        assert mapped_files(tmp_path) == MappedFiles(SIZE, SIZE)


def test_resident_is_both_kinds_together() -> None:
    assert Memory(own_bytes=3, mapped_bytes=4).resident_bytes == 7


def test_the_address_space_holds_what_is_resident() -> None:
    assert address_space_bytes() >= memory().resident_bytes
    assert abs(address_space_bytes() - psutil.Process().memory_info().vms) <= TOLERANCE
