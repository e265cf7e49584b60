"""The bits of others' words: arrays in, arrays out.

A word is a little-endian int32 of eight nibbles, nibble i being bits 4i…4i+3. A Linear's weight is
``(code - zero) · scale`` with ``code`` and ``zero`` in 0…15 and one zero and scale per output and group of inputs.
GPTQ and AWQ store matrices transposed, inputs first:

* GPTQ: ``qweight [in/8, out]``, nibble i of row r is the code of input 8r + i; ``qzeros [groups, out/8]``,
  nibble i of column c is output 8c + i; the first format stores zero - 1, "gptq_v2" the zero itself.
  Source: AutoGPTQ, auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py (``pack``); GPTQModel,
  gptqmodel/utils/model.py (``convert_gptq_v1_to_v2_format_module``).
* AWQ's GEMM: ``qweight [in, out/8]`` and ``qzeros [groups, out/8]``, nibble i of column c is output
  8c + (0, 2, 4, 6, 1, 3, 5, 7)[i]. Source: AutoAWQ, awq/modules/linear/gemm.py (``from_linear``).
* compressed-tensors' "pack-quantized": ``weight_packed [out, in/8]``, nibble i of column c is input 8c + i;
  ``weight_zero_point [out/8, groups]``, nibble i of row r is output 8r + i; both of them signed numbers plus 8.
  Source: compressed_tensors/compressors/pack_quantized (``compress``, ``pack_to_int32``).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgekit.checkpoint.packed import Array

_AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
_ONES = 0x11111111


def gptq_codes(words: Array) -> Array:
    """Return codes uint8 ``[out, 4 · r]`` of words ``[r, out]``: two inputs a byte, the earlier one in the low nibble.

    A word's bytes are already as EdgeKit packs eight codes, so that only words are moved.
    """
    return np.ascontiguousarray(words.T).view(np.uint8)


def awq_codes(words: Array) -> Array:
    """Return codes uint8 ``[8 · c, r / 2]`` of words ``[r, c]``, r even, packed as :func:`gptq_codes` does."""
    rows, columns = words.shape
    pairs = np.ascontiguousarray(words).view(np.uint8).reshape(rows // 2, 2, columns, 4)
    first, second = pairs[:, 0], pairs[:, 1]
    codes = np.empty((columns, 8, rows // 2), np.uint8)
    codes[:, _AWQ_ORDER[0::2]] = ((first & 0x0F) | (second << 4)).transpose(1, 2, 0)
    codes[:, _AWQ_ORDER[1::2]] = ((first >> 4) | (second & 0xF0)).transpose(1, 2, 0)
    return codes.reshape(8 * columns, rows // 2)


def zero_points(words: Array, method: Literal["gptq", "awq"], less_one: bool) -> Array:
    """Return zero points uint8 ``[8 · c, groups]`` of words ``[groups, c]``.

    With ``less_one``, one is added to a word's nibbles at once, carries and all, as GPTQModel does it, which took
    them off so: 0, 8, 8… was stored as 15, 6, 7…
    """
    count, columns = words.shape
    if less_one:
        words = words.view(np.uint32) + np.uint32(_ONES)
    stored = np.ascontiguousarray(words).view(np.uint8).reshape(count, columns, 4)
    nibbles = np.stack([stored & 0x0F, stored >> 4], axis=-1).reshape(count, columns, 8)
    zeros = np.empty_like(nibbles)
    zeros[:, :, _AWQ_ORDER if method == "awq" else slice(None)] = nibbles
    return np.ascontiguousarray(zeros.reshape(count, 8 * columns).T)


def holds_fifteen(words: Array) -> bool:
    """Tell whether a nibble is 15: one more is 0 and a carry to GPTQModel, 0 to AutoGPTQ, 16 to AutoRound."""
    stored = np.ascontiguousarray(words).view(np.uint8)
    return bool(((stored & 0x0F) == 0x0F).any() or (stored >= 0xF0).any())


def row_zero_points(words: Array, n: int) -> Array:
    """Return zero points uint8 ``[n, groups]`` of compressed-tensors' words ``[n / 8, groups]``."""
    bytes_ = np.ascontiguousarray(words.T).view(np.uint8)
    zeros = np.stack([bytes_ & 0x0F, bytes_ >> 4], axis=-1).reshape(words.shape[1], -1)
    return np.ascontiguousarray(zeros[:, :n].T)


def word_of_eights(less_one: bool) -> int:
    """Return the int32 that holds eight zero points of 8, in every format."""
    return 0x77777777 if less_one else 0x88888888 - 2**32
