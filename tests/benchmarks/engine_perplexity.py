"""The loss of a bundle as EdgeKit's own engine runs it, int8 activations and all, with each token given beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.bundle import MANIFEST, open_bundle
from edgekit.engines.base import Engine
from edgekit.engines.open import open_engine
from edgekit.pipeline import build
from edgekit.recipe import Recipe
from edgekit.target import target
from tests.benchmarks.windows import Windows


def losses(checkpoint: Path, recipe: Recipe, bundle: Path, windows: Windows) -> list[float]:
    """Mean negative log likelihood of each window's tokens but the first, in nats.

    Builds ``bundle`` for this machine's CPU where it is not there yet. Each window has a slot of its own.
    """
    if not (bundle / MANIFEST).exists():
        build(checkpoint, target("cpu"), recipe, bundle)
    engine = open_engine(open_bundle(bundle), slots=len(windows))
    try:
        return teacher_forced(engine, windows)
    finally:
        engine.close()


def teacher_forced(engine: Engine, windows: Windows) -> list[float]:
    """Decode every window at once, a token a step: an engine gives the logits of the last position alone."""
    slots = list(range(len(windows)))
    logits = np.stack([engine.prefill(slot, engine.embed([int(windows[slot, 0])]), 0) for slot in slots])
    total = np.zeros(len(windows))
    for tokens in windows.T[1:]:
        total += _loss(logits.astype(np.float64), tokens)
        logits = engine.decode(tokens.tolist(), slots)
    return [float(loss) for loss in total / (windows.shape[1] - 1)]


def _loss(logits: np.ndarray[tuple[int, ...], np.dtype[np.float64]], tokens: Windows) -> Windows:
    highest = logits.max(axis=1)
    scale = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    loss: Windows = scale - logits[np.arange(len(tokens)), tokens]
    return loss
