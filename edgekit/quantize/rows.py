"""The rows of all samples between two blocks, in a file: a calibration goes on from there, whatever ended it.

They are mapped, so memory holds of them what it has room for, and a 7B model's samples need none of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edgekit.blocks import Floats
from edgekit.files import require_space, writing


class Rows:
    """Rows ``[length, hidden]`` of each sample before block ``index``."""

    def __init__(self, folder: Path, index: int, lengths: Sequence[int], hidden: int) -> None:
        self.index = index
        self._folder, self._lengths, self._hidden = folder, list(lengths), hidden
        with writing(_file(folder, index)):
            self._mapped = np.memmap(_file(folder, index), np.float32, "r", shape=(sum(lengths), hidden))

    def __iter__(self) -> Iterator[Floats]:
        start = 0
        for length in self._lengths:
            yield self._mapped[start : start + length]
            start += length

    def next(self, following: Iterator[Floats]) -> Rows:
        """Write the rows behind this block, and let these go."""
        after = write_rows(self._folder, self.index + 1, following, self._lengths, self._hidden)
        self.drop()
        return after

    def drop(self) -> None:
        """Remove the file."""
        _file(self._folder, self.index).unlink(missing_ok=True)


def write_rows(folder: Path, index: int, samples: Iterator[Floats], lengths: Sequence[int], hidden: int) -> Rows:
    """Write the rows before block ``index``, as they are made; whole or not at all."""
    path = _file(folder, index)
    require_space(path, 4 * sum(lengths) * hidden)
    beside = path.with_suffix(".part")
    with writing(path):
        mapped = np.memmap(beside, np.float32, "w+", shape=(sum(lengths), hidden))
        start = 0
        for rows in samples:
            mapped[start : start + len(rows)] = rows
            start += len(rows)
        mapped.flush()
        del mapped
        beside.replace(path)
    return Rows(folder, index, lengths, hidden)


def kept_rows(folder: Path, lengths: Sequence[int], hidden: int) -> Rows | None:
    """Open the furthest rows that were written, if any are whole."""
    whole = [path for path in folder.glob("rows-*.f32") if path.stat().st_size == 4 * sum(lengths) * hidden]
    if not whole:
        return None
    return Rows(folder, max(int(path.stem.partition("-")[2]) for path in whole), lengths, hidden)


def _file(folder: Path, index: int) -> Path:
    return folder / f"rows-{index:03}.f32"
