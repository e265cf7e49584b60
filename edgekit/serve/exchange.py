"""One request's answers, from being queued to their end: how they are waited for, what limits them, what ends them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgekit.serve.answer import Answer, News, Order
from edgekit.serve.engine import EngineThread
from edgekit.serve.refusal import NEVER_RETRY, Refusal, refusal_of
from edgekit.serve.settings import Limits

WATCH_S = 1.0
KEEP_ALIVE_S = 5.0
"""How long a stream is silent at most: proxies end a connection after a minute of silence, phones' networks sooner."""


@dataclass(frozen=True)
class Told:
    """What is new of an exchange.

    ``deltas`` are the numbers of an answer and of its first and last new delta (the last excluded). Without any, there
    was nothing new for a while, or an answer began or ended.
    """

    deltas: tuple[tuple[int, int, int], ...]


class Exchange:
    """The ``n`` answers to one request, under the limits of time; they end when it is cancelled or they are whole.

    ``image_tokens`` are those of the prompt that pictures take; ``notes`` is what their readers said.
    """

    def __init__(self, engine: EngineThread, orders: Sequence[Order], limits: Limits, notes: Sequence[str]) -> None:
        self._engine = engine
        self._limits = limits
        self._news = News()
        self.id = secrets.token_hex(16)
        self.created = int(time.time())
        self._notes = tuple(notes)
        self.image_tokens = sum(map(len, orders[0].prompt.images))
        self.batch = orders[0].batch
        self.reason: Refusal | None = None
        self.answers = [engine.submit(order, self._news) for order in orders]
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + limits.queue_s
        self._started = self._late = False
        self._timer = self._loop.call_later(WATCH_S, self._watch)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of its pictures, and of answers that are whole; each sentence once."""
        return tuple(dict.fromkeys((*self._notes, *(note for answer in self.answers for note in answer.notes))))

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come: also where one answer failed, since the others are of no use without it, or
        where it took too long, whatever the engine still does about it.
        """
        failed = any(answer.failure is not None for answer in self.answers)
        return self._late or failed or all(answer.ended for answer in self.answers)

    def cancel(self, reason: Refusal | None = None) -> None:
        """End what still runs; who waits for it is told the ``reason``."""
        self.reason = self.reason or reason
        self._timer.cancel()
        for answer in self.answers:
            self._engine.cancel(answer)

    def failure(self) -> Refusal | None:
        """Say why the exchange failed, once it has ended; None where every answer is whole."""
        if self._late:
            return self.reason
        for answer in self.answers:
            if answer.failure is not None:
                return refusal_of(answer.failure)
            if answer.completion is not None and answer.completion.reason == "cancelled":
                return self.reason or Refusal(503, "The answer was ended before it was whole.", "answer_ended")
        return None

    async def whole(self) -> None:
        """Wait until all answers are whole; :class:`Refusal` where one is not."""
        async for _ in self.told():
            pass
        if (failure := self.failure()) is not None:
            raise failure

    async def told(self, seen: Sequence[int] = ()) -> AsyncIterator[Told]:
        """Yield what is new as it comes, until all has ended; ``seen`` are the deltas of each answer known already.

        Several deltas come together where they are made faster than they are taken.
        """
        counts = list(seen) or [0] * len(self.answers)
        while True:
            deltas = []
            for number, answer in enumerate(self.answers):
                if len(answer.deltas) > counts[number]:
                    deltas.append((number, counts[number], len(answer.deltas)))
                    counts[number] = len(answer.deltas)
            ended = self.ended
            if deltas or not ended:
                yield Told(tuple(deltas))
            if ended and all(len(answer.deltas) <= count for answer, count in zip(self.answers, counts, strict=True)):
                return
            if not self._has_news(counts):
                await self._news.wait(KEEP_ALIVE_S)

    def _has_news(self, counts: Sequence[int]) -> bool:
        return self.ended or any(len(answer.deltas) > count for answer, count in zip(self.answers, counts, strict=True))

    def _watch(self) -> None:
        """Once a second: has it waited, or been written, for too long?"""
        if self.ended:
            return
        now = self._loop.time()
        if not self._started and all(answer.started or answer.ended for answer in self.answers):
            self._started, self._until = True, now + self._limits.answer_s
        if now < self._until:
            self._timer = self._loop.call_later(WATCH_S, self._watch)
            return
        limit = self._limits.answer_s if self._started else self._limits.queue_s
        what = "The answer was not whole" if self._started else "No slot came free"
        code = "answer_timeout" if self._started else "queue_timeout"
        self._late = True
        self.cancel(Refusal(504, f"{what} within {limit:g} seconds.", code, headers=NEVER_RETRY))
        self._news.tell()  # an engine that is stuck tells nobody


class Form(Protocol):
    """How an exchange is written down, as an API has it."""

    def whole(self, exchange: Exchange) -> Any:
        """Return the document of an exchange that has ended well."""
        ...

    def size_bytes(self, exchange: Exchange) -> int:
        """Return about how long that is, where it is long: others would wait while it is written."""
        ...

    def events(self, exchange: Exchange, seen: int = 0) -> AsyncIterator[bytes]:
        """Yield events from delta ``seen`` on; where the exchange fails, the last says so."""
        ...


def comment(answers: Sequence[Answer]) -> str:
    """Say for a stream's comment where its answers are: clients leave comments unread, people see them."""
    waiting = [answer for answer in answers if not answer.started and not answer.ended]
    if not waiting:
        return "working"
    first = min(waiting, key=lambda answer: answer.place)
    if first.place == 0:
        return "queued"
    about = "" if first.wait_s is None else f", about {max(1, round(first.wait_s))} s"
    return f"queued {first.place}{about}"
