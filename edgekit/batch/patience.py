"""What to do about a reply that is no answer: ask again, and when; give the row up; or give up.

A list is work that can wait, so what passes is waited for: a server that is busy, that starts anew, or that can't be
reached for a while. All of it has an end.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Literal

from edgekit.batch.reply import Reply

Step = Literal["answer", "again", "row", "run"]

_BUSY = frozenset({408, 429, 502, 503, 504})
_PASSING = frozenset({"service_stopping", "queue_timeout", "memory_short"})
"""Errors in the middle of a stream that pass."""
_NOBODY = frozenset({401, 403, 404})
"""Wrong token, not allowed, no such model or path: the next row would be told the same."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long is waited, in seconds.

    * ``first_s``, doubled each time up to ``most_s``: where the server does not say how long
    * ``told_s``: the most that a server's word counts; the least is ``first_s``
    * ``busy_s``: all waiting for one row's turn
    * ``losses``: connections in a row that one row of the list may lose
    """

    first_s: float = 1.0
    most_s: float = 60.0
    told_s: float = 300.0
    busy_s: float = 3600.0
    losses: int = 8

    def wait_s(self, tries: int, reply: Reply | None = None) -> float:
        """Return how long to wait after so many ``tries`` (1: the first), the last of which got ``reply``, or nothing.

        A little chance keeps those who were refused together from coming back together.
        """
        told_s = None if reply is None else reply.retry_after_s(time.time())
        if told_s is not None:
            return min(max(told_s, self.first_s), self.told_s)
        return min(self.first_s * 2.0 ** min(tries - 1, 32), self.most_s) * random.uniform(0.8, 1.2)


def step(reply: Reply) -> Step:
    """Say what follows a reply: it is the answer, or is asked for again, or the row or the run is given up."""
    if reply.error is None:
        return "answer" if reply.reason is not None else "row"
    if reply.status in _NOBODY:
        return "run"
    if reply.code in _PASSING or (reply.status in _BUSY and reply.code != "answer_timeout"):
        return "again"
    return "row"
