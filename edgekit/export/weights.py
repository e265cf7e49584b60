"""The weights of a graph's layers: one or several tensors of a checkpoint, found by name, stacked by rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import PackedTensor, Tensor, is_packed
from edgekit.errors import CheckpointError

Storage = Literal["plain", "int4", "int8"]


@dataclass(frozen=True)
class Stack:
    """Tensors of equal width that a graph holds as one, row below row: Q, K and V, or gate and up.

    Construct with :func:`stack`, which checks that all are stored in the same way.
    """

    parts: Mapping[str, Weight]
    storage: Storage

    @property
    def shape(self) -> tuple[int, ...]:
        shapes = [part.shape for part in self.parts.values()]
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    @property
    def group(self) -> int:
        """Elements per scale of an int4 stack."""
        return next(iter(self.packed.values())).group

    @property
    def plain(self) -> Mapping[str, Tensor]:
        assert self.storage == "plain"
        return cast("Mapping[str, Tensor]", self.parts)

    @property
    def packed(self) -> Mapping[str, PackedTensor]:
        assert self.storage != "plain"
        return cast("Mapping[str, PackedTensor]", self.parts)

    @property
    def read_bytes(self) -> int:
        """About how much of the checkpoint passes by; packed tensors count as the float16 they come from."""
        count = int(np.prod(self.shape, dtype=np.int64))
        return count * (max(part.dtype.itemsize for part in self.plain.values()) if self.storage == "plain" else 2)

    def dtype(self, activations: np.dtype[np.floating]) -> np.dtype[np.floating]:
        """Return what a plain stack is stored in: float16 where that loses nothing that the graph computes with.

        bfloat16 has no place in a graph for devices of compute capability below 8; float16 holds all of
        its significant bits, and too large a value is an error when it is read.
        """
        wide = any(part.dtype.itemsize > 2 for part in self.plain.values()) and activations == np.float32
        return np.dtype(np.float32 if wide else np.float16)


def stack(tensors: Mapping[str, Weight], names: Sequence[str]) -> Stack:
    """Stack the named tensors to one; :class:`CheckpointError` when one is missing or they don't go together."""
    parts = {name: find(tensors, name) for name in names}
    kinds = {(_storage(part), getattr(part, "group", 0) if _storage(part) == "int4" else 0) for part in parts.values()}
    widths = {part.shape[1:] for part in parts.values()}
    if len(kinds) > 1 or len(widths) > 1:
        raise CheckpointError(
            f"{', '.join(names)} are not stored alike, and can't be one matrix",
            "Give them the same width and precision.",
        )
    return Stack(parts, next(iter(kinds))[0])


def find(tensors: Mapping[str, Weight], name: str) -> Weight:
    """Find the tensor called ``name``, or raise :class:`CheckpointError`."""
    if name not in tensors:
        raise CheckpointError(f"The checkpoint has no '{name}'", "It is incomplete, or its config describes another.")
    return tensors[name]


def _storage(weight: Weight) -> Storage:
    if not is_packed(weight):
        return "plain"
    return "int4" if weight.bits == 4 else "int8"
