"""Rows that have no answer yet: asked once, counted among all, and ended where nobody wants more."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from edgekit.batch.answer import Answer
from edgekit.batch.asking import ask_rest, sampling_of
from edgekit.batch.rows import Row
from edgekit.runtime import SamplingParams

PARAMS = SamplingParams(max_tokens=9, seed=1, stop=("x",), logprobs=3)
ROWS = [Row(number, f"Q{number}", (), Path()) for number in range(4)]


class Echo:
    """Answers with the question; tells whether it was closed."""

    model = "echo"
    fingerprint: str | None = None
    closed = False

    def answers(self, rows: Sequence[Row], params: SamplingParams) -> Generator[tuple[Row, Answer], None, None]:
        assert params is PARAMS
        try:
            yield from ((row, Answer(text=row.question)) for row in rows)
        finally:
            self.closed = True


def test_the_rest_is_asked_and_counted_among_all() -> None:
    told: list[tuple[str, int, int]] = []
    answers = ask_rest(ROWS, {0, 2}, Echo(), PARAMS, lambda *at: told.append(at), "answering")
    assert [(row.id, answer.text) for row, answer in answers] == [(1, "Q1"), (3, "Q3")]
    assert told == [("answering", done, 4) for done in (2, 3, 4)]


def test_where_all_is_answered_nothing_is_told() -> None:
    told: list[int] = []
    assert not list(ask_rest(ROWS, range(4), Echo(), PARAMS, lambda stage, done, total: told.append(done)))
    assert not told


def test_what_nobody_wants_is_ended() -> None:
    echo = Echo()
    answers = ask_rest(ROWS, (), echo, PARAMS)
    next(answers)
    answers.close()
    assert echo.closed


def test_what_is_only_told_beside_an_answer_decides_none() -> None:
    assert sampling_of(PARAMS) == sampling_of(SamplingParams(max_tokens=9, seed=1, stop=("x",)))
    assert sampling_of(PARAMS)["stop"] == ["x"]
