"""How near one bundle's logits are to another's of the same model, word by word, both reading the same words.

Answers that were generated part at the first word that differs, and from there on compare nothing. Here both engines
are given the words as they stand ("teacher-forced"), and what they expect next is compared at every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.blocks.distributions import divergence, log_softmax
from edgekit.check.forced import Reader
from edgekit.engines.base import Engine, Logits
from edgekit.evaluate.share import Share
from edgekit.inputs.prompt import ImagePiece, Prompt
from edgekit.runtime.embeddings import Embeddings


@dataclass(frozen=True)
class Agreement:
    """Of two engines: ``mean_kl`` and ``worst_kl``, the divergence of the expected next token from the reference's, in
    nats, over all tokens; and ``top1``, the tokens behind which both expect the same one most."""

    mean_kl: float
    worst_kl: float
    top1: Share


def agreement(engine: Engine, reference: Engine, prompts: Iterable[Prompt]) -> Agreement:
    """Compare two engines over prompts that have their answers: all text behind the last picture of each.

    Slot 0 of both is written over. :class:`~edgekit.errors.EdgeKitError` where a picture can't be read or an engine
    fails.
    """
    divergences: list[float] = []
    same: list[bool] = []
    readers = [(Reader(each), Embeddings(each)) for each in (reference, engine)]
    for prompt in prompts:
        expected, logits = (_forced(reader, embeddings, prompt) for reader, embeddings in readers)
        p, q = (log_softmax(side.astype(np.float64)) for side in (expected, logits))
        divergences += np.maximum(divergence(p, q), 0).tolist()
        same += (p.argmax(-1) == q.argmax(-1)).tolist()
    return Agreement(float(np.mean(divergences)), max(divergences), Share.of(same))


def _forced(reader: Reader, embeddings: Embeddings, prompt: Prompt) -> Logits:
    """Logits behind the last picture (the first token, where there is none) and behind each token after it."""
    read = 0 if prompt.images else 1
    at = 0
    for piece in prompt.pieces:
        at += len(piece)
        read = at if isinstance(piece, ImagePiece) else read
    return reader.forced(embeddings.rows(prompt, 0, read), prompt.keys[read:])
