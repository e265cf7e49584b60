"""The embedding table on the host: mapped, never loaded, one row read per token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.safetensors import StoredTensor, open_file
from edgekit.errors import BundleError


class Embedding:
    """Rows of ``embedding.safetensors``: "weight" ``[vocab, hidden]``, or int8 "codes" and "scales" ``[vocab, 1]``.

    Where the model's head holds the same codes, there is "codes_at" in place of "codes": where they begin in the
    decoder's data, as code + 128.
    """

    def __init__(self, path: Path, hidden: int, dtype: str) -> None:
        tensors = open_file(path)
        self._dtype = np.dtype(dtype)
        self._scales: Array | None = None
        self._middle = np.float32(0)
        if "weight" in tensors:
            self._table: Array = _all(tensors["weight"])
        elif "scales" in tensors and "codes" in tensors:
            self._table, self._scales = _all(tensors["codes"]), _all(tensors["scales"])
        elif "scales" in tensors and "codes_at" in tensors:
            self._scales, self._middle = _all(tensors["scales"]), np.float32(128)
            file = path.parent / "graphs" / "decoder.onnx.data"
            self._table = _head(file, _all(tensors["codes_at"]), (len(self._scales), hidden))
        else:
            raise BundleError(f"{path} holds no embedding", "Build the bundle again.")

    def rows(self, tokens: Sequence[int]) -> Array:
        """Return the embeddings ``[len(tokens), hidden]`` in the engine's activation dtype."""
        index = np.asarray(tokens, dtype=np.int64)
        rows = self._table[index].astype(np.float32)
        if self._scales is not None:
            rows -= self._middle
            rows *= self._scales[index].astype(np.float32)
        embeds: Array = rows.astype(self._dtype, copy=False)
        return embeds


def _all(tensor: StoredTensor) -> Array:
    return tensor.rows(0, tensor.shape[0])


def _head(file: Path, codes_at: Array, shape: tuple[int, int]) -> Array:
    try:
        (start,) = codes_at.tolist()
        return np.memmap(file, np.uint8, "r", start, shape)
    except (OSError, ValueError, OverflowError) as error:
        raise BundleError(
            f"{file} does not hold the embedding's codes, as embedding.safetensors says", "Copy or build it again."
        ) from error
