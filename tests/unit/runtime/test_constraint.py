"""Answers held to a form by a constraint that allows one script of tokens, or fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.engines.base import Logits
from edgekit.errors import EdgeKitError, EngineError
from edgekit.runtime import Completion, Generator, SamplingParams
from edgekit.runtime.sampling import Sampler
from tests.fake_engine import STOP, VOCAB, FakeEngine, byte_tokenizer, fake_spec, text_prompt


@dataclass
class OneOf:
    """Allows each of ``choices`` from place to place; ended behind the last, or by a stop token where that may come."""

    choices: list[bytes]
    stops_at: int = 99
    accepted: list[int] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return len(self.accepted) == len(self.choices) or STOP in self.accepted

    def allowed(self, logits: Logits) -> Logits:
        at = len(self.accepted)
        ids = [*self.choices[at], *([STOP] if at == self.stops_at else [])]
        masked = np.full_like(logits, -math.inf)
        masked[ids] = logits[ids]
        return masked

    def accept(self, token: int) -> None:
        self.accepted.append(token)


class Failing(OneOf):
    """Raises at ``step`` in ``method``."""

    def __init__(self, method: str, error: Exception) -> None:
        super().__init__([b"ab"] * 9)
        self.method, self.error = method, error

    def allowed(self, logits: Logits) -> Logits:
        if self.method == "allowed" and len(self.accepted) == 2:
            raise self.error
        return super().allowed(logits)

    def accept(self, token: int) -> None:
        if self.method == "accept" and len(self.accepted) == 2:
            raise self.error
        super().accept(token)


def _generator() -> Generator:
    return Generator(FakeEngine(), byte_tokenizer(), fake_spec())


def _run(constraint: OneOf | None, params: SamplingParams, generator: Generator | None = None) -> Completion:
    generator = generator or _generator()
    sequence = generator.submit(text_prompt("well?"), params, constraint=constraint)
    while generator.busy:
        generator.step()
    assert sequence.completion is not None
    return sequence.completion


PARAMS = st.builds(
    SamplingParams,
    temperature=st.sampled_from([0.0, 0.7, 50.0]),
    top_p=st.sampled_from([1.0, 0.3]),
    top_k=st.sampled_from([0, 1, 40]),
    min_p=st.sampled_from([0.0, 0.2]),
    repetition_penalty=st.sampled_from([1.0, 0.5, 3.0]),
    seed=st.integers(0, 5),
)


@settings(deadline=None, max_examples=60)
@given(PARAMS)
def test_no_filter_lets_a_token_in_that_the_constraint_rules_out(params: SamplingParams) -> None:
    constraint = OneOf([b"yn", b"eo", b"s!", b".,"])
    completion = _run(constraint, params)
    assert (completion.reason, completion.tokens, completion.error) == ("stop", 4, None)
    assert all(character in choice for character, choice in zip(completion.text, ["yn", "eo", "s!", ".,"], strict=True))
    assert list(completion.ids) == constraint.accepted


def test_the_largest_random_number_draws_nothing_ruled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Last:
        def random(self) -> float:
            return 1 - 2**-53

    sampler = Sampler(SamplingParams(temperature=1.0), constraint=OneOf([b"ab"]))
    monkeypatch.setattr(sampler, "_random", Last())
    logits = np.linspace(-0.1, 0.1, VOCAB, dtype=np.float32)
    assert sampler(logits) == ord("b")


def test_a_stop_token_ends_the_answer_where_it_is_allowed_alone() -> None:
    class Stops(FakeEngine):
        def _token(self, slot: int, position: int, row: Logits) -> Logits:
            logits = super()._token(slot, position, row)
            logits[STOP] = 1000
            return logits

    generator = Generator(Stops(), byte_tokenizer(), fake_spec())
    constraint = OneOf([b"ab"] * 9, stops_at=3)
    completion = _run(constraint, SamplingParams(), generator)
    assert (completion.reason, completion.tokens, len(constraint.accepted)) == ("stop", 3, 4)


def test_an_answer_is_cut_where_its_tokens_end() -> None:
    completion = _run(OneOf([b"ab"] * 9), SamplingParams(max_tokens=4))
    assert (completion.reason, completion.tokens) == ("length", 4)
    assert _run(OneOf([b"ab"] * 4), SamplingParams(max_tokens=4)).reason == "stop"


@pytest.mark.parametrize("method", ["allowed", "accept"])
@pytest.mark.parametrize("error", [EngineError("too complex"), ValueError("of a library")], ids=["ours", "theirs"])
def test_a_constraint_that_fails_ends_its_own_request_with_what_was_allowed(method: str, error: Exception) -> None:
    generator = _generator()
    other = generator.submit(text_prompt("other"), SamplingParams(max_tokens=9))
    completion = _run(Failing(method, error), SamplingParams(), generator)
    assert (completion.reason, completion.tokens) == ("error", 2)
    assert isinstance(completion.error, EdgeKitError)
    assert str(error) in str(completion.error)
    assert other.completion is not None
    assert other.completion.ids == _run_alone("other", 9)


def _run_alone(text: str, max_tokens: int) -> tuple[int, ...]:
    return next(_generator().generate([text_prompt(text)], SamplingParams(max_tokens=max_tokens))).ids


@pytest.mark.parametrize("rule_out", [lambda logits: np.full_like(logits, -math.inf), lambda logits: logits * np.nan])
def test_where_no_token_can_follow_the_request_ends(rule_out: Callable[[Logits], Logits]) -> None:
    class Nothing(OneOf):
        def allowed(self, logits: Logits) -> Logits:
            return rule_out(logits)

    completion = _run(Nothing([b"ab"]), SamplingParams(temperature=1.0))
    assert (completion.reason, completion.tokens) == ("error", 0)
    assert "No token can follow" in str(completion.error)
