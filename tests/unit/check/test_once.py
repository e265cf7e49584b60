"""One golden question before a service is ready: an engine that answers as it did is asked no more, any other all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.check import once
from edgekit.check.golden import read_golden
from edgekit.check.measure import figures
from edgekit.check.once import require_true_answer
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.engines.open import open_engine
from edgekit.errors import GateRefused
from tests.embedded_bundles import EmbeddedBundles


class Opposite:
    """An engine that answers the opposite of what it should."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        logits: Logits = -self._engine.prefill(slot, embeds, start)
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        logits: Logits = -self._engine.decode(tokens, slots)
        return logits


@pytest.fixture
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of how many answers each judgement was."""
    numbers: list[int] = []

    def count(answers: Any) -> Any:
        numbers.append(len(answers))
        return figures(answers)

    monkeypatch.setattr(once, "figures", count)
    return numbers


def test_an_engine_that_answers_as_it_did_is_asked_once(bundle: Bundle, judged: list[int]) -> None:
    with closing(open_engine(bundle, 1)) as engine:
        require_true_answer(bundle, engine)
    assert judged == [1]


def test_one_that_answers_otherwise_is_asked_all_and_refused(bundle: Bundle, judged: list[int]) -> None:
    with closing(open_engine(bundle, 1)) as engine:
        behind: Any = Opposite(engine)
        with pytest.raises(GateRefused, match=r"does not answer here as it was built to: .*at (least|most)") as refused:
            require_true_answer(bundle, behind)
    assert "edgekit check" in refused.value.hint
    assert judged == [1, len(read_golden(bundle)[0].sequences)]


def test_what_was_forced_when_it_was_checked_is_not_asked_again(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Forced:
        shortfall = "KL 0.12, at most 0.05"

    monkeypatch.setattr(once, "verdict_of", lambda folder: Forced)
    engine: Any = type("Engine", (), {"plans": Path("plans")})()
    require_true_answer(bundle, engine)
    assert "told to go on: KL 0.12" in caplog.text
