"""A packed Linear's tensors as they lie in a mapped file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from edgekit.checkpoint.safetensors import StoredTensor, open_file
from tests.prequantized import Array, Format, Linear, stored


def stored_in(path: Path, linear: Linear, kind: Format) -> Mapping[str, StoredTensor]:
    file = path / f"{kind}.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in stored(linear, kind).items()}, file)
    return open_file(file)


def unpacked(codes: Array, k: int) -> Array:
    """Codes uint8 ``[n, k]`` of two a byte, the earlier one in the low nibble."""
    both = np.stack([codes & 0x0F, codes >> 4], axis=-1).reshape(len(codes), -1)
    assert (both[:, k:] == 8).all(), "rows are padded with zeros"
    return both[:, :k]
