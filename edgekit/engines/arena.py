"""The KV arena: keys and values of every layer, ``slots × context`` tokens, allocated once.

ONNX Runtime's attention decodes the *leading* rows of the arena. Slots are therefore names, and rows are
places: the arena keeps the map between them and swaps two rows when a slot that decodes lies too far
back. A swap moves only the tokens that are valid, and happens when a request joins or leaves, not at
every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import EngineError
from edgekit.machine.detect import available_memory
from edgekit.units import format_bytes


@dataclass(frozen=True)
class ArenaShape:
    """Of one tensor of the arena, ``[slots, kv_heads, context, head_dim]``; each layer has two."""

    layers: int
    slots: int
    kv_heads: int
    context: int
    head_dim: int
    dtype: str

    @classmethod
    def of(cls, decoder: DecoderSpec, slots: int, context: int, dtype: str) -> ArenaShape:
        return cls(decoder.layers, slots, decoder.kv_heads, context, decoder.head_dim, dtype)

    @property
    def token_bytes(self) -> int:
        """Bytes of one token in one head of one tensor."""
        return self.head_dim * np.dtype(self.dtype).itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes of one slot in one tensor."""
        return self.kv_heads * self.context * self.token_bytes

    @property
    def nbytes(self) -> int:
        """Bytes of the whole arena."""
        return 2 * self.layers * self.slots * self.row_bytes


class Arena(ABC):
    """Which slot lies at which row, and how many of its tokens are valid; subclasses hold the memory."""

    device = "cpu"

    def __init__(self, shape: ArenaShape) -> None:
        self.shape = shape
        self.lengths = [0] * shape.slots
        self._row_of = list(range(shape.slots))
        self._slot_at = list(range(shape.slots))

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return self.shape.nbytes

    def row(self, slot: int) -> int:
        """Where a slot lies now."""
        return self._row_of[slot]

    def slot_at(self, row: int) -> int:
        """Which slot lies at a row now."""
        return self._slot_at[row]

    def lead(self, slots: Sequence[int]) -> None:
        """Make the given slots the leading rows, in whatever order costs the fewest moves."""
        count = len(slots)
        free = [row for row in range(count) if self._slot_at[row] not in slots]
        for slot in slots:
            if self._row_of[slot] >= count:
                self._exchange(self._row_of[slot], free.pop())

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of one slot to another."""
        self._copy_rows(self._row_of[source], self._row_of[target], length)
        self.lengths[target] = length

    def _exchange(self, a: int, b: int) -> None:
        slot_a, slot_b = self._slot_at[a], self._slot_at[b]
        self._swap_rows(a, b, max(self.lengths[slot_a], self.lengths[slot_b]))
        self._slot_at[a], self._slot_at[b] = slot_b, slot_a
        self._row_of[slot_a], self._row_of[slot_b] = b, a

    @abstractmethod
    def pointers(self, row: int) -> list[tuple[int, int]]:
        """Addresses of the keys and the values of each layer, from ``row`` on."""

    @abstractmethod
    def _copy_rows(self, source: int, target: int, length: int) -> None: ...

    @abstractmethod
    def _swap_rows(self, a: int, b: int, length: int) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """Give the memory back."""


class HostArena(Arena):
    """An arena in ordinary memory, written once so that it is resident and can't run short later."""

    def __init__(self, shape: ArenaShape) -> None:
        super().__init__(shape)
        _require_memory(shape.nbytes)
        self._tensors: list[Array] = []
        try:
            for _ in range(2 * shape.layers):
                tensor = np.empty((shape.slots, shape.kv_heads, shape.context, shape.head_dim), shape.dtype)
                tensor.fill(0)
                self._tensors.append(tensor)
        except MemoryError as error:
            raise _too_big(shape.nbytes) from error

    def pointers(self, row: int) -> list[tuple[int, int]]:
        addresses = [tensor.ctypes.data + row * self.shape.row_bytes for tensor in self._tensors]
        return list(zip(addresses[0::2], addresses[1::2], strict=True))

    def _copy_rows(self, source: int, target: int, length: int) -> None:
        for tensor in self._tensors:
            tensor[target, :, :length] = tensor[source, :, :length]

    def _swap_rows(self, a: int, b: int, length: int) -> None:
        for tensor in self._tensors:
            moved = tensor[a, :, :length].copy()
            tensor[a, :, :length] = tensor[b, :, :length]
            tensor[b, :, :length] = moved

    def close(self) -> None:
        self._tensors.clear()


def _require_memory(nbytes: int) -> None:
    """An arena is filled at once: one that the machine can't hold would end other processes, not only this one."""
    free = available_memory() or psutil.virtual_memory().available
    if nbytes > free:
        raise _too_big(nbytes)


def _too_big(nbytes: int) -> EngineError:
    return EngineError(
        f"This machine has no room for a KV arena of {format_bytes(nbytes)}",
        "End other programs, or build the bundle for fewer slots or a shorter context.",
    )
