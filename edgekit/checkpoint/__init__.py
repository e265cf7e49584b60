"""Checkpoints: what they hold, read lazily, whatever dialect of the LLaVA family they are written in."""

from __future__ import annotations

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint

__all__ = ["Checkpoint", "open_checkpoint"]
