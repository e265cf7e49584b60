"""How far logits are from the reference's: plain arithmetic on what the golden record keeps of them.

All in nats. Of the reference's distribution the record has the highest logits and the sum of all, so the rest counts
as one outcome: that can only make a divergence smaller, by what lies within the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.check.golden import Position
from edgekit.engines.base import Logits

Floats = npt.NDArray[np.float64]
DECIDED = 0.5
"""By how many nats the reference's first choice must lead for its position to count as decided."""
UNUSABLE = 1e9
"""Stands for a distance where what was found is no number or of another shape; JSON has no infinity."""
_LEAST = 1e-12


@dataclass(frozen=True)
class Compared:
    """One sequence, position by position: booleans and nats ``[positions]``."""

    top1: npt.NDArray[np.bool_]
    decided: npt.NDArray[np.bool_]
    same: npt.NDArray[np.bool_]
    kl: Floats
    nll: Floats
    reference_nll: Floats


@dataclass(frozen=True)
class Figures:
    """Of all sequences. ``top1``: how often the engine's first choice is the reference's; ``top1_decided``: where that
    was decided (1 where nothing was); ``first_token``: at answers' beginnings. ``kl``: mean KL(reference ‖ engine).
    ``perplexity_ratio``: of the answers, the engine's to the reference's. ``same_tokens``: sequences in which the
    engine gives the very tokens that the building engine gave."""

    sequences: int
    positions: int
    decided: int
    top1: float
    top1_decided: float
    first_token: float
    kl: float
    perplexity_ratio: float
    same_tokens: int


def compare(positions: Sequence[Position], logits: Logits) -> Compared:
    """The engine's ``logits`` ``[positions, vocab]`` beside the record."""
    wide = logits.astype(np.float64)
    ids = np.array([position.ids for position in positions])
    reference = np.array([position.logits for position in positions])
    total = np.array([position.logsumexp for position in positions])
    tokens = np.array([position.token for position in positions])
    token_logits = np.array([position.token_logit for position in positions])
    at = np.arange(len(positions))
    own = logsumexp(wide)
    best = wide.argmax(1)
    ordered = -np.sort(-reference, 1)
    return Compared(
        top1=best == ids[at, reference.argmax(1)],
        decided=ordered[:, 0] - ordered[:, 1] >= DECIDED,
        same=best == tokens,
        kl=divergence(reference - total[:, None], wide[at[:, None], ids] - own[:, None]),
        nll=own - wide[at, tokens],
        reference_nll=total - token_logits,
    )


def divergence(p: Floats, q: Floats) -> Floats:
    """KL(p ‖ q) ``[n]`` of log probabilities ``[n, k]`` of the same outcomes, what is missing to 1 as one more."""
    rest = [np.clip(1 - np.exp(side).sum(1), _LEAST, 1) for side in (p, q)]
    kl: Floats = (np.exp(p) * (p - q)).sum(1) + rest[0] * np.log(rest[0] / rest[1])
    return kl


def figures(compared: Sequence[Compared]) -> Figures:
    """What all sequences come to, every position counting alike."""
    top1, decided, kl = (np.concatenate([getattr(one, name) for one in compared]) for name in ("top1", "decided", "kl"))
    excess = np.concatenate([one.nll - one.reference_nll for one in compared])
    return Figures(
        sequences=len(compared),
        positions=len(top1),
        decided=int(decided.sum()),
        top1=float(top1.mean()),
        top1_decided=float(top1[decided].mean()) if decided.any() else 1.0,
        first_token=float(np.mean([one.top1[0] for one in compared])),
        kl=_number(kl.mean()),
        perplexity_ratio=_number(np.exp(np.clip(excess.mean(), -20, 20))),
        same_tokens=sum(bool(one.same.all()) for one in compared),
    )


def _number(value: np.floating) -> float:
    return float(value) if np.isfinite(value) else UNUSABLE


def logsumexp(logits: Floats) -> Floats:
    """Over the last axis, in float64."""
    top = logits.max(-1)
    total: Floats = top + np.log(np.exp(logits - top[..., None]).sum(-1))
    return total


def relative_error(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """‖found − expected‖ / ‖expected‖; UNUSABLE where ``found`` holds no numbers or is of another shape."""
    f, e = (np.asarray(side, np.float64) for side in (found, expected))
    if f.shape != e.shape or not np.isfinite(f).all():
        return UNUSABLE
    return float(np.linalg.norm(f - e) / max(float(np.linalg.norm(e)), _LEAST))


def offset(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """What all rows (the last axis) are off by alike, relative: ‖mean of (found − expected)‖ / rms length of a row."""
    f, e = (np.asarray(side, np.float64) for side in (found, expected))
    if f.shape != e.shape or not np.isfinite(f).all():
        return UNUSABLE
    width = f.shape[-1]
    common = (f - e).reshape(-1, width).mean(0)
    length = np.sqrt((e.reshape(-1, width) ** 2).sum(-1).mean())
    return float(np.linalg.norm(common) / max(float(length), _LEAST))
