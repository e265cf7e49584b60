"""The KV arena on the GPU, laid out in the present bucket: as long as the longest row needs, so that no more is read.

One allocation of ``slots × context``. Of it is used ``[layer][key, value][row][kv_heads][bucket][head_dim]``: TensorRT
takes dense tensors, so a row that outgrows the bucket has all of them moved apart. What was never written is zero, not
anything: what lies behind a row's tokens is given no weight, but nothing times no number is no number.

Laid out anew, the arena is one matrix: a line for every layer, row and head, ``old`` places long and to become
``new``. Its lines move apart from the last to the first, or together from the first to the last; as many at once as
clear the others, so that a doubling takes about log₂(lines) copies. Lines that would land on themselves go through a
spare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgekit.engines.arena import Arena
from edgekit.engines.gpu.device import Device, Lines
from edgekit.engines.kv import ArenaShape
from edgekit.errors import EngineError

BUCKET = 256
"""The fewest places that are attended over; twice as many each time that a row has outgrown them."""


def buckets(context: int) -> tuple[int, ...]:
    """Return 256, 512, 1,024 …, and the context."""
    lengths, size = [], BUCKET
    while size < context:
        lengths.append(size)
        size *= 2
    return (*lengths, context)


class BucketArena(Arena):
    """Arena in the memory of a GPU, of ``shape.dtype``, with a spare row for swapping and for moving lines.

    ``fresh`` is the address of a call's new keys and values, where they come out beside it; else 0.
    """

    device = "cuda"

    def __init__(self, shape: ArenaShape, device: Device) -> None:
        super().__init__(shape)
        assert shape.spare_rows and not shape.row_bytes % shape.alignment
        self._buckets = buckets(shape.context)
        self.bucket = self._buckets[0]
        self._device = device
        self._address = device.allocate(shape.nbytes, "the KV arena")
        self._spare = self.fresh = 0
        try:
            self._spare = device.allocate(shape.spare_bytes, "the KV arena's spare row")
            if shape.fresh_bytes:
                self.fresh = device.allocate(shape.fresh_bytes, "new keys and values")
            device.clear_lines(Lines(self._address, shape.row_bytes), shape.row_bytes, self._rows)
        except EngineError:
            self.close()
            raise

    @property
    def head_bytes(self) -> int:
        """Bytes from one head of a row to the next."""
        return self.bucket * self.shape.token_bytes

    @property
    def row_bytes(self) -> int:
        """Bytes from one row of a tensor to the next."""
        return self.shape.kv_heads * self.head_bytes

    @property
    def tensor_bytes(self) -> int:
        """Bytes from one tensor to the next: a layer's keys, its values, the next layer's keys."""
        return self.shape.slots * self.row_bytes

    @property
    def address(self) -> int:
        return self._address

    @property
    def _rows(self) -> int:
        return 2 * self.shape.layers * self.shape.slots

    def pointers(self, row: int) -> list[tuple[int, int]]:
        at = [self._at(tensor, row) for tensor in range(2 * self.shape.layers)]
        return list(zip(at[0::2], at[1::2], strict=True))

    def make_room(self, length: int, *, shrink: bool = False) -> None:
        """Lay the arena out so that a row of ``length`` tokens fits; with ``shrink``, no longer than any row needs."""
        longest = max(length, *self.lengths)
        bucket = next(size for size in self._buckets if size >= longest)
        if bucket > self.bucket or (shrink and bucket < self.bucket):
            self._lay_out(bucket)

    def wash(self, slot: int) -> None:
        """Set all of a slot's memory to zero, so that nothing of it can reach whoever has the row next."""
        row = self.row(slot)
        self._device.clear_lines(
            Lines(self._at(0, row), self.tensor_bytes), self.row_bytes, count=2 * self.shape.layers
        )

    def _lay_out(self, bucket: int) -> None:
        """Move every line's tokens; of short rows, what lies behind them moves along and stays without weight."""
        held, size = max(self.lengths), self.shape.token_bytes
        old, new = self.head_bytes, bucket * size
        if held:
            lines, spare = self._rows * self.shape.kv_heads, self.shape.row_bytes // (held * size)
            for move in moves(lines, self.bucket, bucket, held, spare):
                source = Lines(self._address + move.first * old, old)
                target = Lines(self._address + move.first * new, new)
                if move.spared:
                    between = Lines(self._spare, held * size)
                    self._device.copy_lines(between, source, held * size, move.count)
                    source = between
                self._device.copy_lines(target, source, held * size, move.count)
        self.bucket = bucket

    def _copy_rows(self, source: int, target: int, length: int) -> None:
        if source != target:
            for tensor in range(2 * self.shape.layers):
                self._move(self._at(tensor, target), self._at(tensor, source), length)

    def _swap_rows(self, a: int, b: int, length: int) -> None:
        for tensor in range(2 * self.shape.layers):
            at_a, at_b = self._at(tensor, a), self._at(tensor, b)
            for target, source in ((self._spare, at_a), (at_a, at_b), (at_b, self._spare)):
                self._move(target, source, length)

    def _move(self, target: int, source: int, length: int) -> None:
        """``length`` tokens of every head of one row of one tensor."""
        if length:
            width, pitch = length * self.shape.token_bytes, self.head_bytes
            self._device.copy_lines(Lines(target, pitch), Lines(source, pitch), width, self.shape.kv_heads)

    def _at(self, tensor: int, row: int) -> int:
        return self._address + tensor * self.tensor_bytes + row * self.row_bytes

    def close(self) -> None:
        for address in (self._address, self._spare, self.fresh):
            if address:
                self._device.free(address)
        self._address = self._spare = self.fresh = 0


@dataclass(frozen=True)
class Move:
    """``count`` lines from line ``first`` on, at once; by way of the spare, or straight where the two don't overlap."""

    first: int
    count: int
    spared: bool


def moves(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    """Yield how ``lines`` lines go from pitch ``old`` to ``new``, of which the first ``width`` places hold something.

    All are in one unit; ``spare`` is how many lines' width the spare holds, at least 1. Line 0 stays where it is.
    """
    assert 0 < width <= min(old, new)
    if new > old:
        yield from _apart(lines, old, new, width, spare)
    elif new < old:
        yield from _together(lines, old, new, width, spare)


def _apart(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    end = lines
    while end > 1:
        clear = -(-((end - 1) * old + width) // new)  # the first line that lands behind all that is still to move
        first = max(1, clear if clear < end else end - spare)
        yield Move(first, end - first, clear >= end)
        end = first


def _together(lines: int, old: int, new: int, width: int, spare: int) -> Iterator[Move]:
    first = 1
    while first < lines:
        clear = (first * old - width) // new + 1  # the first line that would land on what is still to move
        end = min(lines, clear if clear > first else first + spare)
        yield Move(first, end - first, clear <= first)
        first = end
