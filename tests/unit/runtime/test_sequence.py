"""A request's states on its way, and the answer that it ends in."""

from __future__ import annotations

import pytest

from edgekit.errors import EngineError
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.sequence import Sequence
from edgekit.runtime.text import TextStream
from tests.fake_engine import byte_tokenizer, text_prompt


def sequence(*stops: str) -> Sequence:
    return Sequence(
        prompt=text_prompt("ask"),
        max_tokens=9,
        sampler=Sampler(SamplingParams(seed=5)),
        stream=TextStream(byte_tokenizer(), stops),
        submitted=10.0,
    )


@pytest.mark.parametrize(
    ("slot", "written", "state"),
    [(None, 0, "waiting"), (1, 0, "prefilling"), (1, 2, "prefilling"), (1, 3, "decoding"), (1, 4, "decoding")],
)
def test_its_state_follows_from_what_is_written(slot: int | None, written: int, state: str) -> None:
    asked = sequence()
    asked.slot, asked.written = slot, written
    assert asked.state == state
    asked.finish("cancelled")
    assert asked.state == "finished"


def test_a_token_is_read_behind_the_prompt_and_told_as_text() -> None:
    asked = sequence()
    text = [asked.append(byte) for byte in "né".encode()]
    assert "".join(text) == asked.text == "né"
    assert bytes(asked.keys) == b"ask" + "né".encode()
    assert asked.prompt_tokens == 3


@pytest.mark.parametrize(("times", "first_ms", "rate"), [([], 0, 0), ([10.5], 500, 0), ([10.5, 11, 11.5], 500, 2)])
def test_the_rate_is_that_after_the_first_token(times: list[float], first_ms: float, rate: float) -> None:
    asked = sequence()
    asked.times = times
    asked.finish("length")
    assert asked.completion is not None
    assert asked.completion.first_token_ms == pytest.approx(first_ms)
    assert asked.completion.tokens_per_s == pytest.approx(rate)
    assert asked.completion.seed == 5


def test_what_was_held_back_for_a_stop_comes_at_the_end() -> None:
    asked = sequence("END")
    told = [asked.append(byte) for byte in b"an EN"]
    rest = asked.finish("length")
    assert "".join(told) + rest == asked.text == "an EN"
    assert asked.completion is not None
    assert asked.completion.reason == "length"


def test_an_answer_that_its_last_token_stopped_did_stop() -> None:
    asked = sequence("END")
    for byte in b"an END":
        asked.append(byte)
    asked.finish("length")
    assert asked.completion is not None
    assert (asked.completion.text, asked.completion.reason) == ("an ", "stop")


def test_an_error_is_kept_with_what_there_was() -> None:
    asked, error = sequence(), EngineError("lost", "Start anew.")
    asked.append(ord("a"))
    asked.finish("error", error)
    assert asked.completion is not None
    assert (asked.completion.error, asked.completion.text, asked.completion.tokens) == (error, "a", 1)
    assert asked.completion.document(["a note"])["notes"] == ["a note"]
