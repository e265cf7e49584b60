"""How near one bundle's logits are to another's of the same model, word by word, both reading the same words.

Answers that were generated part at the first word that differs, and from there on compare nothing. Here both engines
are given the words as they stand ("teacher-forced"), and what they expect next is compared at every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.check.measure import logsumexp
from edgekit.engines.base import Engine, Logits
from edgekit.evaluate.share import Share
from edgekit.inputs.prompt import ImagePiece, Prompt
from edgekit.runtime.embeddings import Embeddings


@dataclass(frozen=True)
class Fidelity:
    """``mean_kl`` and ``worst_kl``: divergence of the expected next token from the reference's, in nats, over all
    tokens. ``top1``: tokens behind which both expect the same one most."""

    mean_kl: float
    worst_kl: float
    top1: Share


def fidelity(engine: Engine, reference: Engine, prompts: Iterable[Prompt]) -> Fidelity:
    """Compare two engines over prompts that have their answers: all text behind the last picture of each.

    Slot 0 of both is written over. :class:`~edgekit.errors.EdgeKitError` where a picture can't be read or an engine
    fails.
    """
    divergences: list[float] = []
    same: list[bool] = []
    for prompt in prompts:
        for found, wanted in zip(_forced(engine, prompt), _forced(reference, prompt), strict=True):
            divergences.append(divergence(wanted, found))
            same.append(int(found.argmax()) == int(wanted.argmax()))
    return Fidelity(float(np.mean(divergences)), max(divergences), Share.of(same))


def divergence(wanted: Logits, found: Logits) -> float:
    """Kullback-Leibler divergence of what ``found`` expects from what ``wanted`` does, in nats (logits ``[vocab]``)."""
    p, q = _log_softmax(wanted), _log_softmax(found)
    return max(0.0, float((np.exp(p) * (p - q)).sum()))


def _forced(engine: Engine, prompt: Prompt) -> Iterator[Logits]:
    """Logits ``[vocab]`` behind the last picture (the first token, where there is none) and each token after it."""
    embeddings = Embeddings(engine)
    read = 0 if prompt.images else 1
    at = 0
    for piece in prompt.pieces:
        at += len(piece)
        read = at if isinstance(piece, ImagePiece) else read
    for start in range(0, read, engine.chunk):
        stop = min(start + engine.chunk, read)
        logits = engine.prefill(0, embeddings.rows(prompt, start, stop), start)
    yield logits
    for token in prompt.keys[read:]:
        yield engine.decode([token], [0])[0]


def _log_softmax(logits: Logits) -> npt.NDArray[np.float64]:
    wide = logits.astype(np.float64)
    made: npt.NDArray[np.float64] = wide - logsumexp(wide)
    return made
