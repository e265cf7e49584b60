"""How far logits are from the reference's: plain arithmetic on what the golden record keeps of them.

All in nats. Of the reference's distribution the record has the highest logits and the sum of all, so the rest counts
as one outcome: that can only make a divergence smaller, by what lies within the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.blocks.distributions import divergence, logsumexp
from edgekit.check.golden import Position
from edgekit.engines.base import Logits

Floats = npt.NDArray[np.float64]
DECIDED = 0.5
"""By how many nats the reference's first choice must lead for its position to count as decided."""
UNUSABLE = 1e9
"""Stands for a distance where what was found is no number or of another shape; JSON has no infinity."""
_LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class SequenceFigures:
    """One sequence, position by position: booleans and nats ``[positions]``."""

    top1: npt.NDArray[np.bool_]
    decided: npt.NDArray[np.bool_]
    same: npt.NDArray[np.bool_]
    kl: Floats
    nll: Floats
    reference_nll: Floats


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What all sequences come to.

    * ``sequences``, ``positions``, and of those the ``decided``: how many
    * ``top1``: how often the engine's first choice is the reference's; ``top1_decided``: where that was decided (1
      where nothing was); ``first_token``: at answers' beginnings
    * ``kl``: mean KL(reference ‖ engine)
    * ``perplexity_ratio``: of the answers, the engine's to the reference's
    * ``same_tokens``: sequences in which the engine gives the very tokens that the building engine gave
    """

    sequences: int
    positions: int
    decided: int
    top1: float
    top1_decided: float
    first_token: float
    kl: float
    perplexity_ratio: float
    same_tokens: int


def compare(positions: Sequence[Position], logits: Logits) -> SequenceFigures:
    """Compare the engine's ``logits`` ``[positions, vocab]`` with the record."""
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
    return SequenceFigures(
        top1=best == ids[at, reference.argmax(1)],
        decided=ordered[:, 0] - ordered[:, 1] >= DECIDED,
        same=best == tokens,
        kl=divergence_of_kept(reference - total[:, None], wide[at[:, None], ids] - own[:, None]),
        nll=own - wide[at, tokens],
        reference_nll=total - token_logits,
    )


def divergence_of_kept(p: Floats, q: Floats) -> Floats:
    """Return KL(p ‖ q) ``[n]`` of log probabilities ``[n, k]`` of the same outcomes, what is missing to 1 as one
    more."""
    rest = [np.clip(1 - np.exp(side).sum(1), _LEAST, 1) for side in (p, q)]
    kl: Floats = divergence(p, q) + rest[0] * np.log(rest[0] / rest[1])
    return kl


def figures(compared: Sequence[SequenceFigures]) -> Figures:
    """Sum up all sequences, every position counting alike."""
    top1, decided, kl = (
        np.concatenate([getattr(sequence, name) for sequence in compared]) for name in ("top1", "decided", "kl")
    )
    excess = np.concatenate([sequence.nll - sequence.reference_nll for sequence in compared])
    return Figures(
        sequences=len(compared),
        positions=len(top1),
        decided=int(decided.sum()),
        top1=float(top1.mean()),
        top1_decided=float(top1[decided].mean()) if decided.any() else 1.0,
        first_token=float(np.mean([sequence.top1[0] for sequence in compared])),
        kl=_number(kl.mean()),
        perplexity_ratio=_number(np.exp(np.clip(excess.mean(), -20, 20))),
        same_tokens=sum(bool(sequence.same.all()) for sequence in compared),
    )


def _number(value: np.floating) -> float:
    return float(value) if np.isfinite(value) else UNUSABLE


def relative_error(values: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return ‖values − expected‖ / ‖expected‖; UNUSABLE where ``values`` are no numbers or of another shape."""
    sides = _comparable(values, expected)
    if sides is None:
        return UNUSABLE
    v, e = sides
    return float(np.linalg.norm(v - e) / max(float(np.linalg.norm(e)), _LEAST))


def offset(values: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return what all rows (the last axis) are off by alike, relative: ‖mean of (values − expected)‖ / rms length of a
    row; UNUSABLE as of :func:`relative_error`."""
    sides = _comparable(values, expected)
    if sides is None:
        return UNUSABLE
    v, e = sides
    width = v.shape[-1]
    common = (v - e).reshape(-1, width).mean(0)
    length = np.sqrt((e.reshape(-1, width) ** 2).sum(-1).mean())
    return float(np.linalg.norm(common) / max(float(length), _LEAST))


def gain(values: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return by how much ``values`` are too large as a whole, 0.03 for 3 %: ⟨values, expected⟩ / ‖expected‖² − 1, of
    which noise has nearly nothing; UNUSABLE as of :func:`relative_error`."""
    sides = _comparable(values, expected)
    if sides is None:
        return UNUSABLE
    v, e = sides
    return float(np.vdot(v - e, e) / max(float(np.vdot(e, e)), _LEAST))


def _comparable(values: npt.ArrayLike, expected: npt.ArrayLike) -> tuple[Floats, Floats] | None:
    v, e = np.asarray(values, np.float64), np.asarray(expected, np.float64)
    return (v, e) if v.shape == e.shape and np.isfinite(v).all() else None
