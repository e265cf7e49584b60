"""What is asked of the engine's thread, and what comes of it: an order, its answer as it grows, and news of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from edgekit.errors import EdgeKitError
from edgekit.inputs.prompt import Prompt
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.constraint import Constraint
from edgekit.runtime.logprobs import TokenLogprob


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be answered, and for whom: ``caller`` is whom the service takes the caller for, ``share`` as whom it
    is counted, where that is not itself alone."""

    prompt: Prompt
    params: SamplingParams
    caller: str
    share: str = ""
    batch: bool = False
    constraint: Constraint | None = None
    judge: Callable[[Completion], Sequence[str]] = lambda completion: ()
    """What is to be said of the answer, once it is whole."""


class News:
    """Wakes those who wait for something new; on the event loop alone."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake whoever waits now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, most_s: float) -> None:
        """Wait until there is news, or for ``most_s`` seconds."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), most_s)


@dataclass(frozen=True)
class Delta:
    """More of an answer's text, with the probabilities of its tokens where they were asked for."""

    text: str
    logprobs: tuple[TokenLogprob, ...]


class Answer:
    """An answer on its way; read on the event loop alone. It holds nothing of its prompt, and so no pictures.

    * ``params``, ``share``: how it is drawn, and as whose it is counted
    * ``deltas``: all of its text so far, so that it can be read again from any of them
    * ``completion``: the whole of it once it has ended, with ``notes`` on it; or ``error``, which kept it from
      beginning
    * ``started``: whether it has a slot; before, its ``place`` among those who wait and ``wait_s``, an estimate of how
      long (None while nothing is known)
    """

    def __init__(self, order: Order, news: News) -> None:
        self.params = order.params
        self.share = order.share or order.caller
        self.judge = order.judge
        self.notes: Sequence[str] = ()
        self.deltas: list[Delta] = []
        self.completion: Completion | None = None
        self.error: EdgeKitError | None = None
        self.started = False
        self.place = 0
        self.wait_s: float | None = None
        self.news = news

    def complete(self, completion: Completion) -> None:
        """Take the whole of it."""
        self.completion, self.notes = completion, self.judge(completion)

    @property
    def ended(self) -> bool:
        return self.completion is not None or self.error is not None

    @property
    def failure(self) -> EdgeKitError | None:
        """Why there is no whole answer, where there is none."""
        return self.error or (self.completion.error if self.completion else None)
