"""The KV arena: keys and values of every layer, ``slots × context`` tokens, allocated once.

ONNX Runtime's attention decodes the *leading* rows of the arena. Slots are therefore names, and rows are
places: the arena keeps the map between them and swaps two rows when a slot that decodes lies too far
back. A swap moves only the tokens that are valid, and happens when a request joins or leaves, not at
every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from edgekit.engines.kv import ArenaShape


class Arena(ABC):
    """Which slot lies at which row, and how many of its tokens are valid; subclasses hold the memory."""

    device = "cpu"
    ordinal = 0

    def __init__(self, shape: ArenaShape) -> None:
        self.shape = shape
        self.lengths = [0] * shape.slots
        self._row_of = list(range(shape.slots))
        self._slot_at = list(range(shape.slots))

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return self.shape.allocated_bytes

    def row(self, slot: int) -> int:
        """Return where a slot lies now."""
        return self._row_of[slot]

    def slot_at(self, row: int) -> int:
        """Return which slot lies at a row now."""
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
        """Return the addresses of the keys and the values of each layer, from ``row`` on."""

    @abstractmethod
    def _copy_rows(self, source: int, target: int, length: int) -> None: ...

    @abstractmethod
    def _swap_rows(self, a: int, b: int, length: int) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """Give the memory back."""
