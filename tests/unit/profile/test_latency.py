"""Timed answers, of an engine that counts its calls and can be made slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.checkpoint.packed import Array
from edgekit.errors import EngineError
from edgekit.inputs.prompt import Prompt
from edgekit.profile import latency as module
from edgekit.profile.latency import Latency, latency, timed_answer
from tests.fake_engine import VOCAB, FakeEngine, byte_tokenizer, fake_spec, image_prompt


def model(engine: FakeEngine, pause: float = 0.0) -> Any:
    """What is asked of a model here; every token would end its answer."""

    def prompt(turns: object) -> Prompt:
        time.sleep(pause)
        return image_prompt("a", 7, "what?")

    bundle = SimpleNamespace(manifest=SimpleNamespace(spec=fake_spec(stop_ids=tuple(range(VOCAB)))))
    return SimpleNamespace(engine=engine, tokenizer=byte_tokenizer(), bundle=bundle, prompt=prompt)


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
    time_taken = timed_answer(model(SlowEngine(), pause=0.05), [], tokens=6)
    assert 80 <= time_taken.first_token_ms < 2000
    assert 1 < time_taken.tokens_per_s <= 100


def test_an_answer_that_fails_is_an_error_and_no_time() -> None:
    class Broken(FakeEngine):
        def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
            raise EngineError("out of memory", "")

    with pytest.raises(EngineError, match="out of memory"):
        timed_answer(model(Broken()), [])


@pytest.fixture
def answer_takes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], list[Latency]]:
    """Let answers take so many seconds of a clock of their own, with the figures 1, 2, 3, …; those that were timed."""

    def install(seconds: float) -> list[Latency]:
        told: list[Latency] = []

        def answer(asked: object, turns: object) -> Latency:
            told.append(Latency(len(told) + 1.0, 100.0 * (len(told) + 1)))
            return told[-1]

        monkeypatch.setattr(module, "timed_answer", answer)
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: seconds * len(told)))
        return told

    return install


@pytest.mark.parametrize(
    ("takes", "seconds", "times", "median"),
    [(9.0, 1.0, 3, 2.0), (0.001, 1.0, 25, 13.0), (0.25, 1.0, 4, 2.5)],
    ids=["slow answers are timed three times", "fast ones not for ever", "others until the time is up"],
)
def test_answers_are_timed_until_their_median_is_worth_something(
    answer_takes: Callable[[float], list[Latency]], takes: float, seconds: float, times: int, median: float
) -> None:
    told = answer_takes(takes)
    assert latency(model(FakeEngine()), [], seconds) == Latency(median, 100 * median)
    assert len(told) == times
