"""What is recorded of a bundle's confidence: read as it was written, ignored with a reason where it is of no use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.confidence.record import CONFIDENCE, Confidence, Data, Promise, read, scaled, store
from tests.specs import manifest

DATA = Data(title="VQA-RAD", form="vqa-rad", split="test", digest="d", items=451)
PROMISES = (
    Promise(error=0.01, threshold=None, coverage=0.0, reason="too few rows"),
    Promise(error=0.05, threshold=0.9, coverage=0.3),
    Promise(error=0.1, threshold=0.6, coverage=0.8),
)
RECORD = Confidence(bundle="b" * 64, data=DATA, temperature=2.0, promises=PROMISES)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path, manifest(), RECORD.bundle)


def answer(score: float) -> AnswerConfidence:
    return AnswerConfidence(logprob=-0.1, margin=None, alternatives=(), score=score)


@pytest.mark.parametrize(
    ("score", "low", "error"), [(0.95, False, 0.05), (0.9, False, 0.05), (0.7, False, 0.1), (0.59, True, None)]
)
def test_an_answer_is_judged_by_the_strictest_promise_that_it_meets(score: float, low: bool, error: float) -> None:
    verdict = RECORD.judge(answer(score))
    assert (verdict.low, verdict.error, verdict.data) == (low, error, DATA)


def test_where_nothing_is_promised_or_known_nothing_is_said() -> None:
    nothing = RECORD.judge(None)
    assert (nothing.low, nothing.probability, nothing.error) == (None, None, None)
    unpromised = replace(RECORD, promises=PROMISES[:1]).judge(answer(0.99))
    assert (unpromised.low, unpromised.error) == (None, None)


def test_the_temperature_divides_log_odds() -> None:
    assert scaled(0.8, 2.0) == pytest.approx(2 / 3)  # odds of 4 become odds of 2
    assert [scaled(score, 2.0) for score in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]
    assert RECORD.judge(answer(0.8)).probability == pytest.approx(2 / 3)


def test_what_is_stored_is_read(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    assert read(bundle) is None
    assert store(bundle, RECORD) == bundle.path / CONFIDENCE
    assert read(bundle) == RECORD
    assert not caplog.records


def test_what_cannot_be_used_is_ignored_with_a_reason(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    path = store(bundle, RECORD)
    text = path.read_text()
    reasons: dict[str, Callable[[], object]] = {
        "another bundle": lambda: store(bundle, replace(RECORD, bundle="c" * 64)),
        "differ from what was sealed": lambda: path.write_text(text.replace("0.9", "0.1")),
        "not valid JSON": lambda: path.write_text(text[:-9]),
        "format 2": lambda: store(bundle, replace(RECORD, format=2)),
    }
    for reason, spoil in reasons.items():
        spoil()
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert read(bundle) is None
        assert reason in caplog.text
        assert "--calibrate-confidence" in caplog.text or "damaged" in caplog.text or "Correct" in caplog.text
