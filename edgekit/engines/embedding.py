"""The embedding table on the host: mapped, never loaded, one row read per token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.safetensors import open_file
from edgekit.errors import BundleError


class Embedding:
    """Rows of ``embedding.safetensors``: "weight" ``[vocab, hidden]``, or int8 "codes" and "scales" ``[vocab, 1]``."""

    def __init__(self, path: Path, dtype: str) -> None:
        tensors = open_file(path)
        self._dtype = np.dtype(dtype)
        names = ("weight",) if "weight" in tensors else ("codes", "scales")
        if any(name not in tensors for name in names):
            raise BundleError(f"{path} holds no embedding", "Build the bundle again.")
        parts = [tensors[name].rows(0, tensors[name].shape[0]) for name in names]
        self._table, self._scales = parts[0], parts[1] if len(parts) > 1 else None

    def rows(self, tokens: Sequence[int]) -> Array:
        """Embeddings ``[len(tokens), hidden]`` in the engine's activation dtype."""
        index = np.asarray(tokens, dtype=np.int64)
        rows = self._table[index].astype(np.float32)
        if self._scales is not None:
            rows *= self._scales[index].astype(np.float32)
        embeds: Array = rows.astype(self._dtype, copy=False)
        return embeds
