"""Two toy engines that are given the same words, against the divergence reckoned one token at a time."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.engines.base import Logits
from edgekit.evaluate.agreement import agreement
from edgekit.runtime.embeddings import Embeddings
from tests.fake_engine import IMAGE_ROWS, FakeEngine, image_prompt, text_prompt

PROMPTS = [text_prompt("What is it?"), image_prompt("Is ", 9, "it ", 200, "well?")]
BEHIND = [1, len("Is it ") + 2 * IMAGE_ROWS]
"""Rows before the first logits that count: the first token, or all up to the last picture."""


def stepwise(seed: int) -> list[Logits]:
    """Logits of a token at a time, behind every row that counts."""
    gathered = []
    for prompt, first in zip(PROMPTS, BEHIND, strict=True):
        engine = FakeEngine(seed=seed)
        rows = Embeddings(engine).rows(prompt, 0, len(prompt))
        every = [engine.prefill(0, row[None], at) for at, row in enumerate(rows)]
        gathered += every[first - 1 :]
    return gathered


def test_an_engine_agrees_with_itself() -> None:
    same = agreement(FakeEngine(chunk=3), FakeEngine(chunk=16), PROMPTS)
    assert same.mean_kl == pytest.approx(0, abs=1e-9)
    assert same.top1.right == same.top1.total == len("hat is it?") + 1 + len("well?") + 1


def test_divergence_is_of_every_word_behind_the_last_picture() -> None:
    kl, same = [], 0
    for expected, logits in zip(stepwise(1), stepwise(2), strict=True):
        p, q = (np.exp(x.astype(np.float64)) / np.exp(x.astype(np.float64)).sum() for x in (expected, logits))
        kl.append(float((p * np.log(p / q)).sum()))
        same += int(p.argmax() == q.argmax())
    differing = agreement(FakeEngine(seed=2), FakeEngine(seed=1), PROMPTS)
    assert differing.mean_kl == pytest.approx(np.mean(kl), rel=1e-5)
    assert differing.worst_kl == pytest.approx(max(kl), rel=1e-5)
    assert (differing.top1.right, differing.top1.total) == (same, len(kl))
