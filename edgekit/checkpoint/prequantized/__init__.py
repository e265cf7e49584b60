"""Checkpoints whose Linears were quantized elsewhere: GPTQ's, AWQ's, AutoRound's and compressed-tensors' are read.

A Linear X has no ``X.weight`` there, but ``X.qweight``, ``X.qzeros``, ``X.scales`` and, in GPTQ, ``X.g_idx``; or
``X.weight_packed``, ``X.weight_scale`` and ``X.weight_shape``. :func:`~edgekit.checkpoint.prequantized.fold.fold` puts
one tensor ``X.weight`` in their place, so that no dialect needs to know, and refuses other forms by their names.
"""
