"""What a load came to: requests and tokens per second, how long callers waited, what failed, which places were true."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tests.wire import Reply

STALE_S = 0.5
"""A place may be so old when it is read: the service works places out a few times a second."""


@dataclass(frozen=True)
class Spread:
    """Milliseconds that half, 95 and 99 percent of the requests took at most."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """The spread of some times; None without any."""
        return (
            cls(*(round(1000 * float(part), 2) for part in np.percentile(seconds, (50, 95, 99)))) if seconds else None
        )


@dataclass(frozen=True)
class Places:
    """Places in the queue that were told, and how many of them were true."""

    told: int
    true: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one load. ``first``: to the first text of a stream, ``total``: to the end of an answer; ``errors``
    by their codes; ``tokens_per_s`` are those of the answers, as the server counts them."""

    callers: int
    requests: int
    seconds: float
    requests_per_s: float
    tokens_per_s: float
    first: Spread | None
    total: Spread | None
    errors: dict[str, int]
    places: Places

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def figures(replies: Sequence[Reply], callers: int) -> Figures:
    """Work out what ``replies`` to so many ``callers`` at once came to."""
    whole = [reply for reply in replies if reply.whole]
    seconds = max(reply.ended_s for reply in replies) - min(reply.sent_s for reply in replies)
    written = sum(reply.usage.get("completion_tokens", reply.events) for reply in whole)
    return Figures(
        callers=callers,
        requests=len(replies),
        seconds=round(seconds, 3),
        requests_per_s=round(len(whole) / seconds, 2),
        tokens_per_s=round(written / seconds, 1),
        first=Spread.of([reply.first_s - reply.sent_s for reply in whole if reply.first_s is not None]),
        total=Spread.of([reply.ended_s - reply.sent_s for reply in whole]),
        errors=dict(Counter(reply.error or "cut" for reply in replies if not reply.whole)),
        places=places(replies),
    )


def places(replies: Sequence[Reply], stale_s: float = STALE_S) -> Places:
    """Hold every place that was told against how many others began until then.

    A place may be ``stale_s`` old when it is read, and whoever is first to begin may have a slot already, in which his
    prompt is read. Who asked after a place was told does not count: it says what happens if nobody else comes.
    """
    begins = sorted((reply.first_s, reply.sent_s) for reply in replies if reply.first_s is not None)
    moments = [first_s for first_s, _ in begins]

    def before(reply: Reply, since_s: float, sent_s: float) -> int:
        """How many began between a moment and ``reply``, of those that had asked by then."""
        assert reply.first_s is not None
        between = begins[bisect_left(moments, since_s) : bisect_left(moments, reply.first_s)]
        return sum(sent < sent_s for _, sent in between)

    told = true = 0
    for reply in replies:
        for at_s, place in reply.places if reply.first_s is not None else ():
            told += 1
            true += before(reply, at_s, at_s - stale_s) <= place <= 1 + before(reply, at_s - stale_s, at_s)
    return Places(told, true)
