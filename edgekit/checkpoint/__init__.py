"""Checkpoints: what they hold, read lazily, whatever dialect of the LLaVA family they are written in.

:func:`edgekit.checkpoint.open.open_checkpoint` opens one. Nothing is imported here: what works on a bundle takes the
spec and the packed tensors from this package, and should not have the readers of every dialect in its memory.
"""
