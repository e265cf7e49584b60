"""Deltas: a model's weights less those of its base, published where the base's licence forbids more.

LLaVA and LLaVA-Med v1 were published so, over LLaMA. Their folders look like a model's: the name tells, or the
weights do. (A norm's weights lie around one; of a delta, around zero.)
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.source import Source, printable
from edgekit.errors import CheckpointError

_WORD = re.compile(r"(?:^|[-_./])deltas?(?:$|[-_./])")
_SMALLEST = 0.05  # on average; fine-tuning moves a norm's weights by thousandths
_HINT = (
    "Add them to their base with the code that they were published with (LLaVA and LLaVA-Med: python3 -m "
    "llava.model.apply_delta --base BASE --target DIR --delta this folder), then give EdgeKit DIR."
)


def by_name(source: Source) -> CheckpointError | None:
    """Recognise pickles in a folder, or of a model, that is called a delta:
    LLaVA-Med v1's are. Safetensors can be looked at.
    """
    files = source.files()
    if any(name.endswith(".safetensors") for name in files) or not any(name.endswith(".bin") for name in files):
        return None
    name = next((name for name in source.names() if _WORD.search(name)), None)
    if name is None:
        return None
    return CheckpointError(
        f"{source.path} holds weight deltas by its name ({printable(name[:100])}): what to add to a base, no model",
        _HINT,
    )


def by_norm(path: Path, norm: Array) -> CheckpointError | None:
    """Recognise weights of the decoder's last norm around zero:
    every logit of such a model would be next to nothing.
    """
    average = float(np.abs(norm.astype(np.float32)).mean())
    if not average < _SMALLEST:  # nor where it is NaN: that is damage, not a difference
        return None
    return CheckpointError(
        f"{path} holds weight deltas, it seems: the weights of its last norm lie around zero (on average "
        f"{average:.2g}, where a model's lie around one)",
        _HINT,
    )
