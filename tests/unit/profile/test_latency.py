"""Timed answers, of an engine that counts its calls and can be made slow."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgekit.checkpoint.packed import Array
from edgekit.errors import EngineError
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Turn
from edgekit.profile.asking import QUESTIONS, never_ending
from edgekit.profile.latency import TOKENS, rates, repeated, timed_answer, times
from edgekit.profile.record import Spread
from edgekit.runtime import Generator
from tests.fake_engine import FakeEngine
from tests.unit.profile.fakes import model

GREY = Picture.of(Image.new("L", (4, 4), 7))


def test_an_answer_has_the_length_that_is_timed_and_takes_nothing_over() -> None:
    engine = FakeEngine()
    for _ in range(2):
        engine.calls.clear()
        timed_answer(model(engine), [], tokens=20)
        assert engine.calls[:2] == [("encode", 1), ("prefill", 0, 0, 15)]
        assert [call[0] for call in engine.calls[2:]] == ["decode"] * 19


class SlowEngine(FakeEngine):
    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        time.sleep(0.03)
        return super().encode(pixels)

    def decode(self, tokens: Any, slots: Any) -> Array:
        time.sleep(0.01)
        return super().decode(tokens, slots)


def test_prompt_and_picture_count_for_the_first_token_and_decoding_for_the_others() -> None:
    first_token_ms, answer = timed_answer(model(SlowEngine(), pause=0.05), [], tokens=6)
    assert 80 <= first_token_ms < 2000
    assert answer.completion
    assert 1 < answer.completion.tokens_per_s <= 100


def test_an_answer_that_fails_is_an_error_and_no_time() -> None:
    class Broken(FakeEngine):
        def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
            raise EngineError("out of memory", "")

    with pytest.raises(EngineError, match="out of memory"):
        timed_answer(model(Broken()), [])


@pytest.mark.parametrize(
    ("takes", "seconds", "count", "median"),
    [(9.0, 1.0, 3, 1.0), (0.001, 1.0, 25, 12.0), (0.25, 1.0, 4, 1.0)],
    ids=["slow ones three times", "fast ones not for ever", "others until the time is up"],
)
def test_a_figure_is_measured_until_its_median_is_worth_something(
    takes: float, seconds: float, count: int, median: float
) -> None:
    calls: list[int] = []

    def measure(index: int) -> float:
        calls.append(index)
        return float(index)

    spread = repeated(measure, seconds, clock=lambda: takes * len(calls))
    assert calls == list(range(count))
    assert (spread.count, spread.median, spread.least, spread.most) == (count, median, 0.0, count - 1)


def test_percentiles_are_values_that_were_measured() -> None:
    spread = Spread.of([float(value) for value in range(100, 0, -1)])
    assert (spread.least, spread.median, spread.p95, spread.p99, spread.most) == (1.0, 50.0, 95.0, 99.0, 100.0)
    assert Spread.of([7.0]) == Spread(count=1, least=7.0, median=7.0, p95=7.0, p99=7.0, most=7.0)
    assert Spread.of([]).count == 0


def test_every_figure_has_its_own_measurement() -> None:
    turns = [Turn(QUESTIONS[0], images=(GREY,))]
    timed = times(model(SlowEngine(context=400)), turns, seconds=0.0)
    assert timed.encode_ms.least >= 30
    assert timed.inter_token_ms.count == 3 * (TOKENS - 1)
    assert 9 < timed.inter_token_ms.median < 100
    assert timed.second_turn_ms.median < timed.first_token_ms.median  # the picture is there already
    assert timed.together == 3
    assert timed.together_ms.median > 30


def test_tokens_of_all_rows_count_and_nothing_but_the_time_in_which_all_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clocked(FakeEngine):
        """A step of decoding takes 10 ms by this clock, reading a prompt 1 s."""

        now = 0.0

        def prefill(self, *arguments: Any, **named: Any) -> Array:
            self.now += 1.0
            return super().prefill(*arguments, **named)

        def decode(self, tokens: Any, slots: Any) -> Array:
            self.now += 0.01
            return super().decode(tokens, slots)

    def clocked(model: Any) -> Generator:
        spec = never_ending(model.bundle.manifest.spec)
        return Generator(model.engine, model.tokenizer, spec, clock=lambda: model.engine.now)

    monkeypatch.setattr("edgekit.profile.latency.fresh", clocked)
    by_rows = rates(model(Clocked(context=400)), Turn(QUESTIONS[0], images=(GREY,)), seconds=0.0)
    assert [rate.rows for rate in by_rows] == [1, 2, 3]
    assert [rate.tokens_per_s.median for rate in by_rows] == pytest.approx([100, 200, 300], rel=0.01)
