"""Checkpoints whose Linears were quantized elsewhere, by GPTQ or AWQ: read as they are, or refused.

A Linear X has no ``X.weight`` there, but ``X.qweight``, ``X.qzeros``, ``X.scales`` and, in GPTQ, ``X.g_idx``.
:func:`fold` puts one tensor ``X.weight`` in their place, so that no dialect needs to know.
"""

from edgekit.checkpoint.prequantized.fold import fold
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix

__all__ = ["UnpackedMatrix", "fold"]
