"""The KV arena's size: one formula, by which plans count and engines allocate, of what their kind says.

Keys and values of every layer lie in an arena of ``slots × context`` tokens, in the activations' dtype or in int8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.checkpoint.spec import DecoderSpec
from edgekit.recipe import Cache
from edgekit.target.kinds import EngineKind


@dataclass(frozen=True, kw_only=True)
class ArenaShape:
    """Of one tensor of the arena, ``[slots, kv_heads, context, head_dim]``; each layer has two.

    - ``layers``, ``slots``, ``kv_heads``, ``context``, ``head_dim``, ``dtype``: what lies there
    - ``alignment``: bytes; every row, and every tensor of new keys or values, begins at a multiple of it
    - ``spare_rows``: rows of one tensor beside it, to swap rows by
    - ``fresh_tokens``: the most tokens of a call whose new keys and values lie beside it before they are moved there
    """

    layers: int
    slots: int
    kv_heads: int
    context: int
    head_dim: int
    dtype: str
    alignment: int = 1
    spare_rows: int = 0
    fresh_tokens: int = 0

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
    def spare_bytes(self) -> int:
        """Bytes of the spare rows."""
        return self.spare_rows * self.row_bytes

    @property
    def fresh_tensor_bytes(self) -> int:
        """Bytes from one tensor of a call's new keys or values to the next."""
        size = self.fresh_tokens * self.kv_heads * self.token_bytes
        return -(-size // self.alignment) * self.alignment

    @property
    def fresh_bytes(self) -> int:
        """Bytes of all of a call's new keys and values, where they lie beside the arena."""
        return 2 * self.layers * self.fresh_tensor_bytes

    @property
    def allocated_bytes(self) -> int:
        """Bytes that an engine allocates for keys and values, all together."""
        return self.nbytes + self.spare_bytes + self.fresh_bytes


def arena_shape(
    decoder: DecoderSpec, kind: EngineKind, cache: Cache, slots: int, context: int, chunk: int
) -> ArenaShape:
    """Return the arena of an engine of a kind for so many slots, keys and values being kept as a recipe's ``kv`` says;
    ``chunk`` tokens of a prompt are read at once."""
    rows = rows_for(kind, slots)
    return ArenaShape(
        layers=decoder.layers,
        slots=rows,
        kv_heads=decoder.kv_heads,
        context=context,
        head_dim=decoder.head_dim,
        dtype="int8" if cache == "int8" else kind.activations,
        alignment=kind.row_alignment,
        spare_rows=int(kind.spare_row),
        fresh_tokens=max(chunk, rows) if kind.fresh_apart else 0,
    )


def rows_for(kind: EngineKind, slots: int) -> int:
    """Return the rows that an engine of a kind computes for so many slots."""
    return paired(slots) if kind.paired_rows else slots


def paired(slots: int) -> int:
    """Return the rows for so many slots where kernels take tokens in pairs: one, or an even number."""
    return slots if slots == 1 else slots + slots % 2
