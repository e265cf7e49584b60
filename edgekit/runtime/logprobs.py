"""How likely each token of an answer was, beside its alternatives, with texts that join to the answer's.

The probabilities are the model's own: of its logits as they come, before any constraint, penalty, temperature
or filter (as OpenAI's API tells them), so they don't depend on how an answer was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.engines.base import Logits

_BLOCK = 64  # of each so many logits the largest is looked at first: five times as fast as ordering 32,000


@dataclass(frozen=True)
class Alternative:
    """A token that might have come, as it would read in that place; part of a character reads as U+FFFD."""

    text: str
    bytes: bytes
    logprob: float


@dataclass(frozen=True)
class TokenLogprob:
    """A token of an answer.

    * ``text``: what it gave the answer; the texts of all tokens join to the answer's. A character that spans tokens is
      its last one's; a special token, or one that stands behind the end of the text, has none
    * ``bytes``: its own, so that those of a character are each token's part of it; joined, the answer's text in UTF-8,
      as long as what the model wrote is UTF-8
    * ``logprob``: the natural logarithm of its probability; −∞ where the model rules it out
    * ``top``: the likeliest tokens, likeliest first (of equal ones the lowest id); it need not be among them
    """

    text: str
    bytes: bytes
    logprob: float
    top: tuple[Alternative, ...]


def log_softmax(logits: Logits) -> npt.NDArray[np.float64]:
    """Return the logarithms of the probabilities, [vocab] in float64."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max()
    shifted -= np.log(np.exp(shifted).sum())
    return shifted


def likeliest(logits: Logits, count: int) -> list[int]:
    """Return the ids of the ``count`` largest logits [vocab], largest first; of equal ones the lowest id is first."""
    count = min(count, len(logits))
    if count == 0:
        return []
    peaks = np.maximum.reduceat(logits, np.arange(0, len(logits), _BLOCK))
    least = np.partition(peaks, -count)[-count] if len(peaks) >= count else -np.inf  # at least so many are as large
    ids = np.flatnonzero(logits >= least)
    ids = ids[(-logits[ids]).argsort(kind="stable")]
    return [int(id) for id in ids[:count]]
