"""Answers that are forced on an engine: its logits are those of reading the same; what is there is not read again."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.check.forced import Reader, common_rows
from tests.fake_engine import FakeEngine

PROMPT, ANSWER = list(range(20)), [7, 8, 9]


def test_forced_tokens_give_the_logits_behind_the_prompt_and_behind_each_of_them() -> None:
    engine = FakeEngine()
    logits = Reader(engine).forced(engine.embed(PROMPT), ANSWER)
    assert logits.shape[0] == 1 + len(ANSWER)
    for at, row in enumerate(logits):
        alone = FakeEngine()
        whole = alone.embed([*PROMPT, *ANSWER[:at]])
        np.testing.assert_array_equal(row, Reader(alone).prefill(whole))


def test_forced_rows_are_forced_tokens_by_their_rows() -> None:
    engine, other = FakeEngine(), FakeEngine()
    by_tokens = Reader(engine).forced(engine.embed(PROMPT), ANSWER)
    by_rows = Reader(other).forced_rows(other.embed(PROMPT), other.embed(ANSWER))
    np.testing.assert_array_equal(by_tokens, by_rows)


def test_what_two_prompts_begin_with_is_read_once() -> None:
    engine = FakeEngine()
    reader = Reader(engine)
    reader.forced(engine.embed(PROMPT), ANSWER)
    engine.calls.clear()
    reader.prefill(engine.embed([*PROMPT[:15], 100, 101]))
    assert engine.calls == [("prefill", 0, 15, 17)]


def test_an_answer_ends_with_a_stop_token_or_where_it_is_cut() -> None:
    engine = FakeEngine()
    free = Reader(engine).answer(engine.embed(PROMPT), (), 5)
    assert len(free) == 5
    assert Reader(engine).answer(engine.embed(PROMPT), free[2:3], 5) == free[: free.index(free[2]) + 1]


@pytest.mark.parametrize(("others", "most", "count"), [([1, 2, 3], 3, 2), ([1, 2], 9, 2), ([5], 9, 0), ([1, 2], 0, 0)])
def test_common_rows_are_counted_from_the_first(others: list[int], most: int, count: int) -> None:
    rows = np.array([1, 2, 4, 5])[:, None]
    assert common_rows(rows, np.array(others)[:, None], most) == count
