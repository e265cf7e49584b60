"""Streamed files: every byte at its place, whatever thread wrote it when; and none at all after an error."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.tensor_file import Entry, Fill, Put, Region, write_regions, write_safetensors
from edgekit.errors import CheckpointError, EdgeKitError

RNG = np.random.default_rng(0)
BLOCK = RNG.integers(0, 256, (40, 25), np.uint8)


def rows(name: str, start: int, stop: int) -> Fill:
    def fill(put: Put) -> None:
        for row in reversed(range(start, stop)):
            put(name, 25 * row, BLOCK[row])

    return fill


def whole(name: str, array: Array) -> Fill:
    return lambda put: put(name, 0, array)


def test_bytes_come_to_their_places_in_any_order(tmp_path: Path) -> None:
    regions = {"b": Region(4096, 1000), "a": Region(7, 1000)}
    fills = [(1, rows("b", 20, 40)), (5, rows("a", 0, 40)), (2, rows("b", 0, 20))]
    write_regions(tmp_path / "file", regions, fills, head=b"head")
    expected = bytearray(5096)
    expected[:4], expected[7:1007], expected[4096:] = b"head", BLOCK.tobytes(), BLOCK.tobytes()
    assert (tmp_path / "file").read_bytes() == expected


@pytest.mark.parametrize(
    "array", [BLOCK.T, BLOCK[:, ::2], np.float32(3.5), np.zeros(0, np.int8)], ids=lambda a: str(a.shape)
)
def test_arrays_of_any_layout_are_written_in_c_order(tmp_path: Path, array: Any) -> None:
    array = np.asarray(array)
    write_regions(tmp_path / "file", {"x": Region(0, array.nbytes)}, [(0, lambda put: put("x", 0, array))])
    assert (tmp_path / "file").read_bytes() == array.tobytes()


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: pwrite(file, data[:13], offset))
    write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [(0, rows("x", 0, 40))])
    assert (tmp_path / "file").read_bytes() == BLOCK.tobytes()


def test_progress_is_told_by_one_thread_until_all_is_done(tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []

    def progress(*step: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        reports.append(step)

    fills = [(10 * row, rows("x", row, row + 1)) for row in range(40)]
    write_regions(tmp_path / "file", {"x": Region(0, 1000)}, fills, progress)
    assert reports[0] == ("writing file", 0, 7800)
    assert reports[-1] == ("writing file", 7800, 7800)
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)


@pytest.mark.parametrize("error", [CheckpointError("bad", "hint"), KeyboardInterrupt()], ids=lambda e: type(e).__name__)
def test_the_first_error_stops_the_others_and_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    started, written = threading.Event(), []

    def endless(put: Put) -> None:
        started.set()
        while True:
            put("x", 0, BLOCK)
            written.append(1)

    def failing(put: Put) -> None:
        started.wait()
        raise error

    never: list[int] = []
    fills: list[tuple[int, Fill]] = [(3, endless), (2, failing), *[(1, lambda put: never.append(1))] * 50]
    with pytest.raises(type(error)):
        write_regions(tmp_path / "file", {"x": Region(0, 1000)}, fills)
    assert len(never) <= os.cpu_count()  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_waiting_leaves_nothing(tmp_path: Path) -> None:
    def progress(stage: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [(1, rows("x", 0, 40))], progress)
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_nobody_wrote_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="x: 975 of 1000 written"):
        write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [(1, rows("x", 1, 40))])
    with pytest.raises(AssertionError, match="past its end"):
        write_regions(tmp_path / "file", {"x": Region(0, 999)}, [(1, rows("x", 0, 40))])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_fit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match=r"file needs .* TiB, but its disk has .* free") as caught:
        write_regions(tmp_path / "file", {"x": Region(0, 2**60)}, [])
    assert "Make room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite"])
def test_a_disk_that_fills_up_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(EdgeKitError, match=r"No space is left to write .*file") as caught:
        write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [(1, rows("x", 0, 40))])
    assert "Make room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_file_systems_that_cannot_reserve_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [(1, rows("x", 0, 40))])
    assert (tmp_path / "file").read_bytes() == BLOCK.tobytes()


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(EdgeKitError, match=r"file can't be written"):
        write_regions(tmp_path / "file", {"x": Region(0, 1000)}, [])


def test_safetensors_are_what_the_reference_reads(tmp_path: Path) -> None:
    arrays: dict[str, Array] = {
        "odd": BLOCK[:3, :5].astype(np.int8),
        "wide": RNG.standard_normal((7, 9)).astype(np.float32),
        "half": RNG.standard_normal(3).astype(np.float16),
        "one": np.array(5, np.int64),
        "none": np.zeros((0, 4), np.uint8),
    }
    kinds = {"odd": "I8", "wide": "F32", "half": "F16", "one": "I64", "none": "U8"}
    entries = [Entry(name, kinds[name], array.shape) for name, array in arrays.items()]
    fills = [(0, whole(name, array)) for name, array in arrays.items()]
    write_safetensors(tmp_path / "file", entries, fills, {"made by": "tests"})
    tensors = load_file(tmp_path / "file")
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        assert tensors[name].dtype == array.dtype
        assert np.array_equal(tensors[name], array)
    with safe_open(tmp_path / "file", "numpy") as file:
        assert file.metadata() == {"made by": "tests"}


def test_safetensors_start_at_a_page_and_are_aligned(tmp_path: Path) -> None:
    entries = [Entry("a", "I8", (3,)), Entry("b", "F32", (5,)), Entry("c", "F16", (7,))]
    fills = [(0, whole(entry.name, np.zeros(entry.nbytes, np.uint8))) for entry in entries]
    write_safetensors(tmp_path / "file", entries, fills, {})
    data = (tmp_path / "file").read_bytes()
    assert len(data) == 4096 + 3 + 20 + 14
    assert int.from_bytes(data[:8], "little") == 4088
    assert data[:4096].index(b'"b"') < data.index(b'"c"') < data.index(b'"a"')


def test_as_many_threads_as_cores_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    together = threading.Barrier(3, timeout=20)

    def fill(put: Put) -> None:
        together.wait()

    write_regions(tmp_path / "file", {}, [(1, fill)] * 3)
    assert not together.broken
