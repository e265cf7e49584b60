"""Quantizing: a checkpoint and a recipe become a checkpoint in the recipe's precision."""

from __future__ import annotations

from edgekit.quantize.quantize import quantize
from edgekit.quantize.write import write_checkpoint

__all__ = ["quantize", "write_checkpoint"]
