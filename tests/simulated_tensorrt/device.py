"""A GPU for tests: memory at made-up addresses, a stream that does nothing until it must, and what CUDA would refuse.

Like a GPU's, its memory holds anything at first (ones in every bit, which are no numbers), and what is queued reads and
writes when the stream is waited for: a host buffer that is written too early is a wrong result here too. What would be
an illegal address there is an AssertionError here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.engines.gpu import scatter
from edgekit.engines.gpu.device import Grid, Lines, Pinned
from edgekit.errors import EngineError
from edgekit.units import format_bytes

Bytes = npt.NDArray[np.uint8]
_FIRST, _FIRST_HOST, _GAP = 0x7F00_0000_0000, 0x1000_0000, 1 << 20


class FakeDevice:
    """``room`` is its bytes in all; ``compiles`` says whether it has a compiler, ``captures`` whether a step can be
    captured. Counts what it is asked for; ``uploaded`` and ``downloaded`` are bytes that went over the bus."""

    stream = 77

    def __init__(self, room: int = 1 << 40, *, compiles: bool = True, captures: bool = True) -> None:
        self.room, self.compiles, self.captures, self.closed = room, compiles, captures, False
        self.memory: dict[int, Bytes] = {}
        self.pinned: dict[int, Bytes] = {}
        self.launches = self.copies = self.replays = 0
        self.uploaded = self.downloaded = 0
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self._captured: list[Callable[[], None]] | None = None
        self._graphs = 0
        self._next, self._next_host = _FIRST, _FIRST_HOST
        self._queue: list[Callable[[], None]] = []

    def allocate(self, size: int, purpose: str) -> int:
        assert not self.closed
        assert not self.capturing
        size = max(size, 1)
        if size + sum(memory.size for memory in self.memory.values()) > self.room:
            raise EngineError(f"The GPU has no room for {purpose} of {format_bytes(size)}", "Hint.")
        address, self._next = self._next, self._next + -(-size // 256) * 256 + _GAP
        self.memory[address] = np.full(size, 0xFF, np.uint8)
        return address

    def free(self, address: int) -> None:
        self.synchronize()
        del self.memory[address]

    def pin(self, size: int) -> Pinned:
        assert not self.capturing
        address, self._next_host = self._next_host, self._next_host + -(-size // 256) * 256 + _GAP
        self.pinned[address] = np.full(max(size, 1), 0xFF, np.uint8)
        return Pinned(address, self.pinned[address][:size])

    def unpin(self, memory: Pinned) -> None:
        self.synchronize()
        del self.pinned[memory.address]

    def at(self, address: int, size: int) -> Bytes:
        """``size`` bytes of the GPU's memory."""
        return _at(self.memory, address, size)

    def at_host(self, address: int, size: int) -> Bytes:
        """``size`` bytes of pinned memory."""
        return _at(self.pinned, address, size)

    def upload(self, target: int, source: int, size: int) -> None:
        def copy() -> None:
            self.at(target, size)[:] = self.at_host(source, size)
            self.uploaded += size

        self.queue(copy)

    def download(self, target: int, source: int, size: int) -> None:
        def copy() -> None:
            self.at_host(target, size)[:] = self.at(source, size)
            self.downloaded += size

        self.queue(copy)

    def copy_lines(self, target: Lines, source: Lines, width: int, count: int) -> None:
        assert 0 < width <= min(target.pitch, source.pitch)
        assert count > 0
        ends = [lines.address + (count - 1) * lines.pitch + width for lines in (target, source)]
        assert target.address >= ends[1] or source.address >= ends[0], "overlapping copy"
        self.copies += 1

        def copy() -> None:
            self._lines(target, width, count)[:] = self._lines(source, width, count)

        self.queue(copy)

    def clear_lines(self, target: Lines, width: int, count: int) -> None:
        assert 0 < width <= target.pitch
        self.queue(lambda: self._lines(target, width, count).fill(0))

    def _lines(self, lines: Lines, width: int, count: int) -> Bytes:
        memory = self.at(lines.address, (count - 1) * lines.pitch + width)
        return np.lib.stride_tricks.as_strided(memory, (count, width), (lines.pitch, 1))

    def compile(self, source: str, name: str) -> Any:
        assert source in [scatter.source(unit) for unit in (16, 8, 4, 2)]
        unit = next(unit for unit in (16, 8, 4, 2) if source == scatter.source(unit))
        return (name, unit) if self.compiles else None

    def launch(self, kernel: Any, grid: Grid, block: int, arguments: Sequence[ctypes._SimpleCData[Any]]) -> None:
        """The kernel of :mod:`edgekit.engines.gpu.scatter`, in Python."""
        name, unit = kernel
        assert name == scatter.KERNEL
        assert block <= 1024
        assert max(grid[1:]) <= 65535
        fresh, arena, starts, heads, width, token, *distances = [argument.value for argument in arguments]
        fresh_tensor, arena_tensor, arena_row, arena_head = distances
        assert (grid[0] - 1) * block < width <= grid[0] * block
        assert fresh % unit == arena % unit == starts % 4 == 0
        self.launches += 1

        def keep() -> None:
            for z in range(grid[2]):
                for y in range(grid[1]):
                    row, head = divmod(y, heads)
                    start = int(self.at(starts + 4 * row, 4).view(np.int32)[0])
                    target = z * arena_tensor + row * arena_row + head * arena_head + start * token
                    source = z * fresh_tensor + y * width
                    self.at(arena + target * unit, width * unit)[:] = self.at(fresh + source * unit, width * unit)

        self.queue(keep)

    def queue(self, work: Callable[[], None]) -> None:
        assert not self.closed
        (self._queue if self._captured is None else self._captured).append(work)

    @property
    def capturing(self) -> bool:
        return self._captured is not None

    def capture(self, work: Callable[[], None]) -> Any:
        assert not self.capturing
        self._captured = []
        try:
            work()
            if not self.captures:
                return None
            self._graphs += 1
            self.graphs[self._graphs] = self._captured
            return self._graphs
        except EngineError:
            return None
        finally:
            self._captured = None

    def replay(self, graph: Any) -> None:
        self.replays += 1
        for work in self.graphs[graph]:
            self.queue(work)

    def drop(self, graph: Any) -> None:
        self.synchronize()
        del self.graphs[graph]

    def synchronize(self) -> None:
        assert not self.capturing
        queue, self._queue = self._queue, []
        for work in queue:
            work()

    def close(self) -> None:
        self.synchronize()
        self.closed = True


def _at(held: dict[int, Bytes], address: int, size: int) -> Bytes:
    for start, memory in held.items():
        if start <= address and address + size <= start + memory.size:
            return memory[address - start : address - start + size]
    raise AssertionError(f"illegal address {address:#x}, {size} bytes")
