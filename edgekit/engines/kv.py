"""The KV arena's size: one formula, by which plans count and engines allocate.

Keys and values of every layer lie in an arena of ``slots × context`` tokens, in the activations' dtype or in int8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.checkpoint.spec import DecoderSpec
from edgekit.recipe import Cache
from edgekit.target.kinds import EngineKind

ALIGNMENT = 256
"""Bytes: what a call makes of new keys and values on a GPU begins at multiples of this, a tensor each."""


@dataclass(frozen=True, kw_only=True)
class ArenaShape:
    """Of one tensor of the arena, ``[slots, kv_heads, context, head_dim]``; each layer has two."""

    layers: int
    slots: int
    kv_heads: int
    context: int
    head_dim: int
    dtype: str

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
        """Bytes of all rows."""
        return 2 * self.layers * self.slots * self.row_bytes

    @property
    def spared_bytes(self) -> int:
        """Bytes of all rows, and of one more of one tensor to swap rows by."""
        return self.nbytes + self.row_bytes

    def fresh_bytes(self, tokens: int) -> int:
        """Return the bytes from one tensor of a call's new keys or values to the next, where they lie beside the
        arena."""
        return -(-tokens * self.kv_heads * self.token_bytes // ALIGNMENT) * ALIGNMENT

    def planned_bytes(self, kind: EngineKind, chunk: int) -> int:
        """Return the bytes that an engine of a kind allocates for keys and values, which reads ``chunk`` tokens of a
        prompt at once."""
        fresh = 2 * self.layers * self.fresh_bytes(max(chunk, self.slots)) if kind.fresh_apart else 0
        return (self.spared_bytes if kind.spare_row else self.nbytes) + fresh


def arena_shape(decoder: DecoderSpec, kind: EngineKind, cache: Cache, slots: int, context: int) -> ArenaShape:
    """Return the arena of an engine of a kind for so many slots, keys and values being kept as a recipe's ``kv``
    says."""
    return ArenaShape(
        layers=decoder.layers,
        slots=paired(slots) if kind.paired_rows else slots,
        kv_heads=decoder.kv_heads,
        context=context,
        head_dim=decoder.head_dim,
        dtype="int8" if cache == "int8" else kind.activations,
    )


def paired(slots: int) -> int:
    """Return the rows for so many slots where kernels take tokens in pairs: one, or an even number."""
    return slots if slots == 1 else slots + slots % 2
