"""The one thread that owns the generator, and the answers that it gives to everybody else.

In: orders, from the event loop. Out: an :class:`Answer` for each, which grows there. Nothing of the generator is
touched from outside this thread: what is wanted of it goes through a queue, and between two steps it is done. What came
of a step is handed to the event loop in one call, so that a step costs one wake-up however many callers there are.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable

from edgekit.errors import EdgeKitError, EngineError
from edgekit.runtime import Event, Finished, Generator, Sequence
from edgekit.serve.answer import Answer, Delta, News, Order
from edgekit.serve.logs import types_of

log = logging.getLogger("edgekit.serve")

IDLE_S = 1.0
"""How often a thread with nothing to do says that it is alive."""
PLACES_S = 0.5
"""How often those who wait are told their place; to work it out takes a few milliseconds where a hundred wait."""


class EngineThread:
    """Runs orders on a generator until it is closed; every method is for the event loop, on which it was started."""

    def __init__(self, generator: Generator, clock: Callable[[], float] = time.monotonic) -> None:
        self._generator = generator
        self._clock = clock
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._answers: dict[Sequence, Answer] = {}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._beat = clock()
        self._places_told = clock()
        self.live: set[Answer] = set()
        self.on_end: Callable[[Answer], object] = lambda answer: None
        self.failed = False

    def start(self) -> None:
        """Begin, with the running event loop as the one to tell."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    @property
    def silent_s(self) -> float:
        """Seconds since it last finished a step, or said that it has none to do."""
        return self._clock() - self._beat

    @property
    def waiting(self) -> list[Answer]:
        """The answers that have no slot yet."""
        return [answer for answer in self.live if not answer.started]

    def submit(self, order: Order, news: News) -> Answer:
        """Queue an order; its answer fails by itself where the order can't be taken. ``news`` tells of it."""
        answer = Answer(order, news)
        if self.failed or self._closing:
            answer.error = _failure()
            return answer
        self.live.add(answer)
        self._commands.put(lambda: self._take(order, answer))
        return answer

    def cancel(self, answer: Answer) -> None:
        """End an answer that nobody waits for; its slot is free before the next step. Nothing happens after its end."""
        if not answer.ended:
            self._commands.put(lambda: self._cancel(answer))

    def forget(self, caller: str) -> None:
        """Have nothing that this caller sent or got be reused any more."""
        self._commands.put(lambda: self._generator.forget(caller))

    async def close(self) -> None:
        """End the thread; answers that still run are cancelled."""
        self._commands.put(self._close)
        while self._thread.is_alive():
            await asyncio.sleep(0.01)

    # From here on: in the thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._obey()
                if self._generator.busy:
                    for events in self._generator.halves():
                        self._hand_over(events)
                self._beat = self._clock()
        except Exception as error:  # a fault of ours: nothing in the generator can be trusted any more
            log.error("The engine's thread ended by %s", type(error).__name__)  # its text may hold what was asked
            self._call(self._fail)

    def _obey(self) -> None:
        """Do what was asked for; where there is nothing else to do, wait for it a while."""
        try:
            command = self._commands.get(block=not self._generator.busy, timeout=IDLE_S)
            while True:
                command()
                command = self._commands.get_nowait()
        except queue.Empty:
            pass

    def _take(self, order: Order, answer: Answer) -> None:
        try:
            sequence = self._generator.submit(
                order.prompt,
                order.params,
                caller=order.caller,
                share=order.share,
                batch=order.batch,
                constraint=order.constraint,
            )
        except EdgeKitError as error:
            refused = error
            self._call(lambda: self._refuse(answer, refused))
            return
        self._answers[sequence] = answer

    def _cancel(self, answer: Answer) -> None:
        for sequence in [sequence for sequence, held in self._answers.items() if held is answer]:
            self._generator.cancel(sequence)

    def _close(self) -> None:
        for sequence in list(self._answers):
            self._generator.cancel(sequence)
        self._hand_over(self._generator.step())
        self._closing = True

    def _hand_over(self, events: list[Event]) -> None:
        started = [
            answer
            for sequence, answer in self._answers.items()
            if not answer.started and sequence.state not in ("waiting", "finished")
        ]
        news = [(self._answers[event.sequence], event) for event in events if event.sequence in self._answers]
        for event in events:
            if isinstance(event, Finished):
                self._answers.pop(event.sequence, None)
        places = self._places() if self._clock() - self._places_told >= PLACES_S else []
        if started or news or places:
            self._call(lambda: self._deliver(started, news, places))

    def _places(self) -> list[tuple[Answer, int, float | None]]:
        self._places_told = self._clock()
        waiting = [sequence for sequence in self._answers if sequence.state == "waiting"]
        generator = self._generator
        return [
            (self._answers[sequence], generator.place(sequence), generator.wait_s(sequence)) for sequence in waiting
        ]

    def _call(self, work: Callable[[], None]) -> None:
        assert self._loop is not None, "started before it runs"
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    # From here on: on the event loop again.

    def _deliver(
        self,
        started: list[Answer],
        events: list[tuple[Answer, Event]],
        places: list[tuple[Answer, int, float | None]],
    ) -> None:
        first_told = [answer for answer, _, _ in places if answer.place == 0]
        for answer, place, wait_s in places:
            answer.place, answer.wait_s = place, wait_s
        for answer in started:
            answer.started, answer.place = True, 0
        for answer, event in events:
            if isinstance(event, Finished):
                answer.complete(event.completion)
                if event.completion.error is not None:
                    log.error("The model failed at an answer: %s", types_of(event.completion.error))
                self.live.discard(answer)
                self.on_end(answer)
            else:
                answer.deltas.append(Delta(event.text, event.logprobs))
        for news in {answer.news for answer in (*first_told, *started, *(answer for answer, _ in events))}:
            news.tell()

    def _refuse(self, answer: Answer, error: EdgeKitError) -> None:
        answer.error = error
        self.live.discard(answer)
        self.on_end(answer)
        answer.news.tell()

    def _fail(self) -> None:
        self.failed = True
        for answer in list(self.live):
            self._refuse(answer, _failure())


def _failure() -> EngineError:
    return EngineError("The engine's thread has ended", "Start the service again; its log says more.")
