"""What a fill puts, gathered in memory, and packed matrices to fill with."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from edgekit.checkpoint.packed import PackedTensor
from edgekit.export.graph import Fill
from edgekit.quantize.tensors import RoundedTensor
from tests.unit.quantize.fakes import Stored, normal


def gather(fill: Fill) -> dict[str, bytes]:
    """What a fill put, whole and without gaps or overlaps."""
    pieces: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    fill(lambda name, offset, array: pieces[name].append((offset, np.ascontiguousarray(array).tobytes())))
    whole = {}
    for name, gathered in pieces.items():
        gathered.sort()
        for (start, data), (following, _) in itertools.pairwise(gathered):
            assert start + len(data) == following
        assert gathered[0][0] == 0
        whole[name] = b"".join(data for _, data in gathered)
    return whole


def quantized(rows: Sequence[int], bits: int, k: int = 48) -> dict[str, PackedTensor]:
    group = 32 if bits == 4 else k
    return {
        f"m{i}": RoundedTensor(f"m{i}", Stored(normal(n, k, seed=i)), bits, group)  # type: ignore[arg-type]
        for i, n in enumerate(rows)
    }
