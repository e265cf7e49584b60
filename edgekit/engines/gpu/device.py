"""What the engine asks of a GPU: memory, copies, one stream, one kernel, and to do all of a step again.

Addresses are integers. Everything but allocation is queued on one stream, in order, and is done when
:meth:`Device.synchronize` returns; until then neither side of a copy may be touched. Every failure is an
:class:`~edgekit.errors.EngineError` in plain words. :mod:`edgekit.engines.gpu.cuda` is a real one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Grid = tuple[int, int, int]


@dataclass(frozen=True)
class Pinned:
    """Host memory that copies can run beside: its address, and its bytes to read and write."""

    address: int
    bytes: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Lines:
    """Where lines of equal width begin: the first one's address, and bytes from each to the next."""

    address: int
    pitch: int


class Device(Protocol):
    """What the engine asks of a GPU. Sizes, pitches and widths in bytes."""

    @property
    def stream(self) -> int:
        """The handle of the stream."""
        ...

    def allocate(self, size: int, purpose: str) -> int:
        """Take memory of the GPU, at a multiple of 256; ``purpose`` is what an error says that it was for."""
        ...

    def free(self, address: int) -> None: ...
    def pin(self, size: int) -> Pinned: ...
    def unpin(self, memory: Pinned) -> None: ...
    def upload(self, target: int, source: int, size: int) -> None:
        """Copy pinned memory to the GPU."""
        ...

    def download(self, target: int, source: int, size: int) -> None:
        """Copy the GPU's memory to pinned memory."""
        ...

    def copy_lines(self, target: Lines, source: Lines, width: int, count: int) -> None:
        """Copy within the GPU; the two must not overlap."""
        ...

    def clear_lines(self, target: Lines, width: int, count: int) -> None:
        """Set to zero."""
        ...

    def compile(self, source: str, name: str) -> Any:
        """Return a kernel to launch, from CUDA C++; None where the compiler is missing or can't."""
        ...

    def launch(self, kernel: Any, grid: Grid, block: int, arguments: Sequence[ctypes._SimpleCData[Any]]) -> None: ...
    def capture(self, work: Callable[[], None]) -> Any:
        """Return what ``work`` queues, as one thing to replay; nothing of it has run. None where it can't be
        captured."""
        ...

    def replay(self, graph: Any) -> None: ...
    def drop(self, graph: Any) -> None:
        """Give back what was captured."""
        ...

    def synchronize(self) -> None: ...
    def close(self) -> None:
        """Give the stream and the kernels back; memory is for whoever allocated it to free."""
        ...
