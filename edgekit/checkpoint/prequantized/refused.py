"""What is said of weights that were quantized in a way that EdgeKit does not read."""

from __future__ import annotations

from edgekit.checkpoint.documents import Fields
from edgekit.errors import CheckpointError

ORIGINAL = "Give EdgeKit the original checkpoint in 16 bits: `edgekit quantize` makes it small."


def unread(config: Fields, weights: str, way: str = "") -> CheckpointError:
    """Return the error for ``weights`` that ``config`` describes; ``way`` is a sentence on what else could be done."""
    return CheckpointError(f"{config.origin} has {weights}, which EdgeKit does not read", f"{way}{ORIGINAL}")
