"""Whose request is made ready next: a few of each caller's at once, so that one with many holds up its own alone.

What comes before a slot (pictures, schemas, long texts) is done by one child or a few threads, first come, first
served. Where each caller has two requests there at most, one who has a hundred is as far behind another's as he is
behind his.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 2
"""One request's picture is decoded while another's text becomes tokens."""


class Turns:
    """Callers' requests that are being made ready, or wait for it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    @property
    def count(self) -> int:
        """All of them."""
        return self._counts.total()

    def of(self, caller: str) -> int:
        """Return how many are ``caller``'s."""
        return self._counts[caller]

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a turn of ``caller``'s, which lasts until the block's end."""
        self._counts[caller] += 1
        try:
            async with self._turns.setdefault(caller, asyncio.Semaphore(AT_ONCE)):
                yield
        finally:
            self._counts[caller] -= 1
            if not self._counts[caller]:
                del self._counts[caller], self._turns[caller]
