"""Places and waits, held against what then happens."""

from __future__ import annotations

from collections import abc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.runtime import Generator, SamplingParams, Sequence
from edgekit.runtime.forecast import admissions
from tests.fake_engine import FakeEngine, byte_tokenizer, fake_spec, image_prompt, text_prompt

TOKENIZER = byte_tokenizer()


class _Timed(FakeEngine):
    """Takes time on a clock of its own: so many milliseconds a row read, a step decoded and a row decoded."""

    now = 0.0

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        self.now += 0.002 * len(embeds)
        return super().prefill(slot, embeds, start)

    def decode(self, tokens: abc.Sequence[int], slots: abc.Sequence[int]) -> Logits:
        self.now += 0.020 + 0.002 * len(slots)
        return super().decode(tokens, slots)


def _timed(**sizes: int) -> tuple[_Timed, Generator]:
    engine = _Timed(**sizes)
    return engine, Generator(engine, TOKENIZER, fake_spec(()), clock=lambda: engine.now)


REQUESTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 40), st.integers(1, 20), st.booleans()), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=150)
@given(requests=REQUESTS, slots=st.integers(1, 4), chunk=st.integers(4, 20), wait=st.integers(0, 6))
def test_admissions_come_in_the_order_and_at_the_steps_foreseen_where_lengths_are(
    requests: list[tuple[str, int, int, bool]], slots: int, chunk: int, wait: int
) -> None:
    """No answer ends before its ``max_tokens``, no prompt shares anything with another."""
    generator = Generator(FakeEngine(slots=slots, chunk=chunk), TOKENIZER, fake_spec(()))
    sequences = [
        generator.submit(
            text_prompt(chr(65 + number) * length), SamplingParams(max_tokens=most), caller=who, batch=late
        )
        for number, (who, length, most, late) in enumerate(requests)
    ]
    for _ in range(wait):
        if not any(sequence.completion for sequence in sequences):
            generator.step()
    if any(sequence.completion for sequence in sequences):
        return  # from now on, lengths would be those of answers that ended
    foreseen = admissions(generator._scheduler, generator._forecast._pace)
    places = {sequence: generator.place(sequence) for sequence in sequences}
    assert {sequence: place for sequence, place in places.items() if place} == {
        sequence: place for place, sequence in enumerate(foreseen, 1)
    }
    assert {sequence for sequence in sequences if sequence.state == "waiting"} == foreseen.keys()
    admitted: dict[Sequence, int] = {}
    step = 0
    while generator.busy:
        generator.step()
        admitted |= {
            sequence: step for sequence in foreseen if sequence.state != "waiting" and sequence not in admitted
        }
        step += 1
    assert list(foreseen.items()) == sorted(admitted.items(), key=lambda item: item[1])
    assert {generator.place(sequence) for sequence in sequences} == {0}


def test_places_are_those_of_now_as_others_join_leave_and_are_admitted() -> None:
    generator = Generator(FakeEngine(slots=1), TOKENIZER, fake_spec(()))
    params = SamplingParams(max_tokens=3)
    asked = [generator.submit(text_prompt(f"{number} a"), params, caller="a") for number in range(4)]
    assert [generator.place(sequence) for sequence in asked] == [1, 2, 3, 4]
    generator.step()
    other = generator.submit(text_prompt("b"), params, caller="b")
    late = generator.submit(text_prompt("c"), params, caller="c", batch=True)
    assert [generator.place(sequence) for sequence in [*asked, other, late]] == [0, 2, 3, 4, 1, 5]
    generator.cancel(asked[2])
    assert [generator.place(sequence) for sequence in [*asked, other, late]] == [0, 2, 0, 3, 1, 4]


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("lengths", [[12], [4, 8, 12, 16, 20]])
def test_in_a_steady_state_a_wait_is_estimated_within_a_factor_of_two(slots: int, lengths: list[int]) -> None:
    engine, generator = _timed(slots=slots)
    random = np.random.default_rng(0)
    estimates: dict[Sequence, tuple[float | None, float]] = {}
    ratios = []
    for number in range(160):
        sequence = generator.submit(
            image_prompt(f"{number} is it ", number % 250, "?" * int(random.integers(1, 20))),
            SamplingParams(max_tokens=int(random.choice(lengths))),
            caller=str(number % 3),
        )
        if sequence.state == "waiting":
            estimates[sequence] = generator.wait_s(sequence), engine.now
        while len(generator._scheduler.waiting) >= 10:
            generator.step()
            for admitted in [sequence for sequence in estimates if sequence.state != "waiting"]:
                estimate, asked = estimates.pop(admitted)
                if number > 40 and estimate is not None:
                    ratios.append((engine.now - asked) / estimate)
    assert len(ratios) > 100
    assert all(1 / 2 <= ratio <= 2 for ratio in ratios), sorted(ratios)
    assert 0.8 < np.median(ratios) < 1.25


def test_what_is_reused_makes_waits_no_longer() -> None:
    engine, generator = _timed(slots=1, chunk=2)
    prompt, params = text_prompt("a long question that is asked again and again"), SamplingParams(max_tokens=2)
    for _ in range(30):
        generator.submit(prompt, params)
        while generator.busy:
            generator.step()
    asked = [generator.submit(prompt, params) for _ in range(9)]
    estimate, before = generator.wait_s(asked[-1]), engine.now
    assert estimate is not None
    while asked[-1].state == "waiting":
        generator.step()
    assert estimate / 2 < engine.now - before < estimate * 2


def test_nothing_is_estimated_before_anything_is_known() -> None:
    _, generator = _timed(slots=1)
    first, second = (generator.submit(text_prompt(text), SamplingParams(max_tokens=3)) for text in ("one", "two"))
    assert (generator.wait_s(first), generator.wait_s(second)) == (None, None)
    generator.step()
    generator.step()
    assert (generator.wait_s(first), generator.wait_s(second)) == (0, None)
    while first.completion is None:
        generator.step()
    wait = generator.wait_s(second)
    assert wait == 0  # the slot is idle: the next step takes it
    while generator.busy:
        generator.step()
    assert generator.wait_s(second) == 0


def test_time_in_which_nothing_runs_is_no_steps() -> None:
    engine, generator = _timed(slots=1)
    params = SamplingParams(max_tokens=10)
    waits = []
    for _ in range(3):
        asked = [generator.submit(text_prompt(text), params) for text in ("one", "two", "three")]
        waits.append(generator.wait_s(asked[2]))
        while generator.busy:
            generator.step()
        engine.now += 1000
    assert waits[0] is None
    assert waits[1] == pytest.approx(waits[2], rel=0.1)
    assert waits[2] is not None
    assert waits[2] < 2
