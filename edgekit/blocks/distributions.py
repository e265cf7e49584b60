"""Distributions of the next token, as logits or log probabilities, and how far one is from another, in nats."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.floating[Any]]


def logsumexp(logits: Numbers) -> Numbers:
    """Return log Σ exp over the last axis, in the logits' own dtype."""
    top = logits.max(-1)
    total: Numbers = top + np.log(np.exp(logits - top[..., None]).sum(-1))
    return total


def log_softmax(logits: Numbers) -> Numbers:
    """Return log probabilities over the last axis, in the logits' own dtype; only they are held beside the logits."""
    shares: Numbers = logits - logits.max(-1, keepdims=True)
    shares -= np.log(np.exp(shares).sum(-1, keepdims=True))
    return shares


def divergence(p: Numbers, q: Numbers) -> Numbers:
    """Return KL(p ‖ q) over the last axis, of log probabilities that are whole: rounding may bring it below zero."""
    shares = np.exp(p)
    shares *= p - q
    kl: Numbers = shares.sum(-1)
    return kl
