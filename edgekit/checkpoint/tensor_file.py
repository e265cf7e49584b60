"""Large files of named tensors, written in place by a thread pool, in bounded memory.

In go a layout (which tensor lies where) and fills, functions that read and convert some weights and put
their bytes to their places in any order; out comes a file in which every declared byte was written.
The formats that are written so: safetensors (here) and ONNX's external data (:mod:`edgekit.export.write`).
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.files import require_space, writing
from edgekit.machine.system import cores
from edgekit.progress import Progress, silent

Put: TypeAlias = Callable[[str, int, Array], None]
"""put(tensor, byte offset, array): store an array's bytes at a place within a tensor."""
Fill: TypeAlias = Callable[[Put], None]


@dataclass(frozen=True)
class Region:
    """Where a tensor's bytes lie in a file."""

    offset: int
    nbytes: int


@dataclass(frozen=True)
class Entry:
    """A tensor of a safetensors file: ``dtype`` as that format writes it ("F16", "I8", …)."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * _ITEM_BYTES[self.dtype]


_ITEM_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I8": 1, "U8": 1}


def write_regions(
    path: Path,
    regions: Mapping[str, Region],
    fills: Sequence[tuple[int, Fill]],
    progress: Progress = silent,
    head: bytes = b"",
) -> None:
    """Write ``head`` and then whatever the fills put into ``regions``; bytes between regions are zero.

    ``fills`` are pairs of (bytes of checkpoint that pass by, function); they run on all cores, the
    largest first, so that no core ends much later than another. Several fills may share a region.
    The first error, Ctrl-C included, stops the others and removes the file.
    """
    size = max([len(head), *(region.offset + region.nbytes for region in regions.values())])
    require_space(path, size)
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with writing(path):
            _reserve(descriptor, size)
            _write_all(descriptor, head, 0)
        writer = _Writer(path, descriptor, regions)
        _run(writer, fills, progress)
        writer.assert_complete()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def write_safetensors(
    path: Path,
    entries: Iterable[Entry],
    fills: Sequence[tuple[int, Fill]],
    metadata: Mapping[str, str],
    progress: Progress = silent,
) -> None:
    """Write a safetensors file (huggingface/safetensors, README "Format"): header length, JSON, bytes.

    Wider dtypes come first, so that every tensor is aligned to its items; the header is padded with
    blanks until the bytes start at a page.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    regions, offset = {}, 0
    for entry in sorted(entries, key=lambda entry: (-_ITEM_BYTES[entry.dtype], entry.name)):
        regions[entry.name] = Region(offset, entry.nbytes)
        offset += entry.nbytes
        header[entry.name] = {
            "dtype": entry.dtype,
            "shape": list(entry.shape),
            "data_offsets": [offset - entry.nbytes, offset],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 4096)
    head = len(text).to_bytes(8, "little") + text
    placed = {name: Region(region.offset + len(head), region.nbytes) for name, region in regions.items()}
    write_regions(path, placed, fills, progress, head)


class _Stopped(Exception):
    """Ends a fill whose result nobody waits for any more."""


class _Writer:
    """``put`` for one file: counts what was written into each region, and can be told to stop."""

    def __init__(self, path: Path, descriptor: int, regions: Mapping[str, Region]) -> None:
        self.path = path
        self.stopped = threading.Event()
        self._descriptor = descriptor
        self._regions = regions
        self._written: Counter[str] = Counter()
        self._lock = threading.Lock()

    def put(self, name: str, offset: int, array: Array) -> None:
        if self.stopped.is_set():
            raise _Stopped
        region = self._regions[name]
        assert 0 <= offset <= region.nbytes - array.nbytes, f"{name}: written past its end"
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        with writing(self.path):
            _write_all(self._descriptor, data.data, region.offset + offset)
        with self._lock:
            self._written[name] += array.nbytes

    def assert_complete(self) -> None:
        for name, region in self._regions.items():
            assert self._written[name] == region.nbytes, f"{name}: {self._written[name]} of {region.nbytes} written"


def _run(writer: _Writer, fills: Sequence[tuple[int, Fill]], progress: Progress) -> None:
    stage, done, total = f"writing {writer.path.name}", 0, sum(read for read, _ in fills)
    progress(stage, 0, total)
    with ThreadPoolExecutor(cores(), thread_name_prefix="edgekit-write") as pool:
        futures: dict[Future[None], int] = {}
        try:
            for read, fill in sorted(fills, key=lambda pair: -pair[0]):
                futures[pool.submit(fill, writer.put)] = read
            for future in as_completed(futures):
                future.result()
                done += futures[future]
                progress(stage, done, total)
        except BaseException:
            writer.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _reserve(descriptor: int, size: int) -> None:
    """Take the whole space now, where the file system can, so that a full disk is known at once."""
    os.ftruncate(descriptor, size)
    if size == 0:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # some network and FUSE file systems
            raise


def _write_all(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    """pwrite until nothing is left: one call writes at most 2 GiB, and less on a disk about to be full."""
    view = memoryview(content)
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count
