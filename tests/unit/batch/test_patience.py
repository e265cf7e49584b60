"""What is asked again, for how long, and what is given up."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from edgekit.batch.patience import Patience, step
from edgekit.batch.reply import Reply


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(status=200, reason="stop"), "answer"),
        (Reply(status=200), "row"),
        *((Reply(status=status, error="x"), "run") for status in (401, 403, 404)),
        *((Reply(status=status, error="x"), "again") for status in (408, 429, 502, 503, 504)),
        *((Reply(status=status, error="x"), "row") for status in (400, 413, 422, 500, 501)),
        (Reply(status=504, error="x", code="answer_timeout"), "row"),
        (Reply(status=200, error="x", code="answer_timeout"), "row"),
        (Reply(status=200, error="x", code="queue_timeout"), "again"),
        (Reply(status=200, error="x", code="service_stopping"), "again"),
        (Reply(status=200, error="x", code="engine_failed", reason="stop"), "row"),
    ],
)
def test_a_reply_s_step(reply: Reply, expected: str) -> None:
    assert step(reply) == expected


def test_a_server_s_word_counts_up_to_a_bound() -> None:
    patience = Patience()
    assert patience.wait_s(1, Reply(status=503, retry_after="7")) == 7
    assert patience.wait_s(9, Reply(status=503, retry_after="7")) == 7
    assert patience.wait_s(1, Reply(status=503, retry_after="100000")) == 300
    for none in ("0", "-5", formatdate(time.time() - 20, usegmt=True)):
        assert patience.wait_s(1, Reply(status=503, retry_after=none)) == 1, "pictures would be sent without a pause"
    date = Reply(status=503, retry_after=formatdate(time.time() + 20, usegmt=True))
    assert 15 < patience.wait_s(1, date) <= 21


@pytest.mark.parametrize("reply", [None, Reply(status=503), Reply(status=503, retry_after="soon")])
def test_without_it_waiting_doubles_up_to_a_minute(reply: Reply | None) -> None:
    patience = Patience()
    for tries, expected in ((1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)):
        assert 0.8 * expected <= patience.wait_s(tries, reply) <= 1.2 * expected
