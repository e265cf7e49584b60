"""Figures of replies that were made up, against what can be counted on fingers."""

from __future__ import annotations

import pytest

from tests.benchmarks.load_figures import Places, Spread, figures, places
from tests.wire import Reply


def reply(sent_s: float, first_s: float, ended_s: float, **more: object) -> Reply:
    told = {"reason": "stop", "usage": {"completion_tokens": 10}, **more}
    return Reply(sent_s=sent_s, first_s=first_s, ended_s=ended_s, **told)  # type: ignore[arg-type]


def test_rates_are_of_the_whole_time_and_of_whole_answers() -> None:
    replies = [reply(0, 1, 2), reply(1, 3, 4), reply(2, 3, 5, reason=None), reply(2, 3, 4, error="queue_full")]
    result = figures(replies, 2)
    assert (result.requests, result.seconds) == (4, 5)
    assert (result.requests_per_s, result.tokens_per_s) == (2 / 5, 20 / 5)
    assert result.errors == {"cut": 1, "queue_full": 1}
    assert result.first == Spread(1500, 1950, 1990)
    assert result.total == Spread(2500, 2950, 2990)


def test_a_server_that_counts_no_tokens_has_its_events_counted() -> None:
    assert figures([reply(0, 1, 2, usage={}, events=7)], 1).tokens_per_s == 3.5


def test_without_streams_there_is_no_first_text() -> None:
    result = figures([Reply(sent_s=0, ended_s=1, reason="stop")], 1)
    assert result.first is None
    assert result.total is not None


@pytest.mark.parametrize(
    ("place", "is_true"),
    [(1, False), (2, True), (3, True), (4, False)],  # two began before it, of whom one may have had a slot
)
def test_a_place_is_true_where_so_many_begin_before(place: int, is_true: bool) -> None:
    others = [reply(0, first_s, 20) for first_s in (1, 11, 12, 14)]
    late = reply(10.5, 12.5, 20)
    waiting = reply(1, 13, 20, places=[(10, place)])
    assert places([*others, late, waiting], stale_s=0.5) == Places(1, int(is_true))


def test_a_place_may_be_of_a_moment_ago() -> None:
    others = [reply(0, first_s, 20) for first_s in (9.8, 11, 12)]
    assert places([*others, reply(1, 13, 20, places=[(10, 4)])], stale_s=0.5) == Places(1, 1)
    assert places([*others, reply(1, 13, 20, places=[(10, 4)])], stale_s=0.1) == Places(1, 0)


def test_who_never_begins_is_told_nothing_that_could_be_held_against_others() -> None:
    assert places([Reply(sent_s=0, places=[(1, 3)]), reply(0, 1, 2)]) == Places(0, 0)
