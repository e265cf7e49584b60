"""What a soak asks: neighbours that differ, and a count of answers that could stand for each other unnoticed."""

from __future__ import annotations

import json

from tests.soak_cases import PICTURES, Written, alike, cases


def test_neighbours_differ_and_pictures_come_again_and_go() -> None:
    every = cases(2 * PICTURES)
    assert len({case.seed for case in every}) == len(every)
    assert {case.picture for case in every[:8]} == {0, 7, 14, 28, 35, 42}
    assert len({case.picture for case in every}) > 0.9 * PICTURES
    assert {case.picture for case in every[:24]}.isdisjoint(case.picture for case in every[24:48])


def test_a_request_says_all_that_decides_its_answer() -> None:
    first, _, _, second, *_ = cases(4)
    streamed, whole = (json.loads(first.body(stream=stream)) for stream in (True, False))
    assert (streamed.pop("stream"), whole.pop("stream")) == (True, False)
    assert streamed == whole
    assert {"seed": 0, "logprobs": True}.items() <= whole.items()
    other = json.loads(second.body(stream=False))
    assert other["messages"] != whole["messages"]


def test_an_answer_is_alike_where_a_near_one_is_the_same_to_the_last_bit() -> None:
    answers = [Written("a", (("a", probability),), "stop") for probability in (-0.5, -0.25, -0.5, -0.75, -0.25)]
    assert alike(answers, 1) == 0
    assert alike(answers, 2) == 1
    assert alike(answers, 3) == 2
