"""Answers on their way: each goes on whoever reads it, and is stored once it has ended, however it did.

In: an exchange, and the turn of which the store has the question. Out: the turn, with its answer, its state and the
line that the audit has of it. The answer's end is told only when it is on the disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edgekit.errors import InputError
from edgekit.runtime import Completion, SamplingParams
from edgekit.serve.exchange import Exchange
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.service import Service
from edgekit.serve.ward.documents import TurnDocument
from edgekit.serve.ward.keeper import Keeper, Store
from edgekit.serve.ward.shown import show_turn, turn_of

if TYPE_CHECKING:
    from edgekit.ward.turns import State

STOPPED, STOPPING = "answer_stopped", "service_stopping"
"""Why an answer ends that was cut short and did not fail: its reader, or the service, was told to stop."""
WRITE_S = 5.0
"""How often what has come of an answer is stored: what a power cut costs of it."""
CLOSE_S = 10.0
"""What an engine gets to end its answers when the service closes; one that is stuck never does."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is told of a question: ``who`` asked, in which ``conversation`` of whose (``owner``), by which ``turn``, and
    the model's prompt by its ``keys``, the digests of its ``pictures``, and how the answer is drawn (``params``)."""

    who: str
    owner: str
    conversation: str
    turn: str
    keys: Sequence[int]
    pictures: Sequence[str]
    params: SamplingParams


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an answer ended: its ``text`` as far as it came, why it failed (None: it did not), what the engine says of it
    (None: nothing), and what is to be ``noted`` with it."""

    text: str
    failure: Refusal | None
    completion: Completion | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, exchange: Exchange) -> Outcome:
        """Return how an exchange of one answer ended."""
        (answer,) = exchange.answers
        failure = exchange.failure()
        is_told = failure is not None and failure.code != STOPPED
        notes = (*exchange.notes, failure.message) if failure and is_told else exchange.notes
        text = "".join(delta.text for delta in answer.deltas)
        return cls(text=text, failure=failure, completion=answer.completion, notes=notes)

    @property
    def state(self) -> State:
        if self.failure is None:
            return "whole"
        return "stopped" if self.failure.code in (STOPPED, STOPPING) else "failed"


@dataclass(frozen=True, kw_only=True, eq=False)
class Written:
    """An answer that is being written: the ``turn`` that the store has of it, what is told of its question (``asked``),
    and the task that has what the store ``kept`` of it in the end."""

    turn: TurnDocument
    asked: Asked
    exchange: Exchange
    kept: asyncio.Task[TurnDocument]

    def document(self) -> TurnDocument:
        """Return the turn as it is now; its text comes by events alone."""
        return replace(self.turn, state="writing" if self.exchange.answers[0].started else "waiting")


class Writing:
    """The answers that a service writes for the page, and stores by a ``keeper``."""

    def __init__(self, service: Service, keeper: Keeper) -> None:
        self._service = service
        self._keeper = keeper
        self._asking: set[str] = set()
        self._written: dict[str, Written] = {}
        self._withdrawn: set[tuple[str, str]] = set()

    @contextmanager
    def asking(self, conversation: str) -> Iterator[None]:
        """Make one question of a conversation ready at a time; :class:`Refusal` of status 409 where its last is not
        answered yet.
        """
        running = any(written.asked.conversation == conversation for written in self._written.values())
        if running or conversation in self._asking:
            message = "This conversation's last question is still being answered: wait for it, or stop it."
            raise Refusal(409, message, "conversation_busy", headers=NEVER_RETRY)
        self._asking.add(conversation)
        try:
            yield
        finally:
            self._asking.remove(conversation)

    def begin(self, turn: TurnDocument, asked: Asked, exchange: Exchange) -> Written:
        """Have an answer stored once it has ended, whether anybody reads it or not."""
        kept = asyncio.create_task(self._keep(asked, exchange))
        kept.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody has to be there to hear it
        written = self._written[turn.id] = Written(turn=turn, asked=asked, exchange=exchange, kept=kept)
        return written

    def of(self, turn: str) -> Written | None:
        """Return the answer of a turn while it is being written."""
        return self._written.get(turn)

    def in_conversation(self, conversation: str) -> Written | None:
        """Return the answer that is being written in a conversation."""
        every = self._written.values()
        return next((written for written in every if written.asked.conversation == conversation), None)

    def of_owner(self, owner: str) -> list[Written]:
        """Return the answers that are being written in an owner's conversations, whoever asked."""
        return [written for written in self._written.values() if written.asked.owner == owner]

    async def stop(self, written: Written) -> None:
        """End an answer; what was written of it is stored when this returns."""
        written.exchange.cancel(Refusal(409, "The answer was stopped before it was whole.", STOPPED))
        with suppress(Refusal):  # its reader is told
            await asyncio.shield(written.kept)

    async def close(self) -> None:
        """End every answer, and wait until what was written of each is stored."""
        tasks = [written.kept for written in self._written.values()]
        for written in self._written.values():
            reason = Refusal(503, "The service stopped before the answer was whole.", STOPPING)
            written.exchange.cancel(reason)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()

    def withdraw(self, conversation: str, owner: str) -> None:
        """Have an owner read no further in a conversation that he reaches no more."""
        self._withdrawn.add((conversation, owner))

    def give(self, conversation: str, owner: str) -> None:
        """Have an owner read in a conversation again."""
        self._withdrawn.discard((conversation, owner))

    def may_read(self, conversation: str, owner: str) -> bool:
        """Say whether an owner may go on reading what he has begun to read."""
        return (conversation, owner) not in self._withdrawn

    async def _keep(self, asked: Asked, exchange: Exchange) -> TurnDocument:
        try:
            written_s = time.monotonic()
            async for _ in exchange.told():
                if time.monotonic() - written_s >= WRITE_S and not exchange.ended:
                    await self._write(asked, exchange)
                    written_s = time.monotonic()
            return await self._keeper.call(partial(self._finish, asked, Outcome.of(exchange)))
        except InputError as error:  # its conversation was deleted meanwhile
            raise Refusal(404, error.message, "not_found") from error
        finally:
            self._service.end(exchange)
            del self._written[asked.turn]

    async def _write(self, asked: Asked, exchange: Exchange) -> None:
        """Store what has come; where that fails, the end will tell."""
        text = "".join(delta.text for delta in exchange.answers[0].deltas)
        if text:
            with suppress(Refusal):
                await self._keeper.call(lambda store: store.ward.turns.write(asked.turn, text), eases=False)

    def _finish(self, asked: Asked, outcome: Outcome, store: Store) -> TurnDocument:
        """In the store's thread."""
        completion = outcome.completion
        with store.ward.database.transaction():
            store.ward.turns.finish(
                asked.turn,
                outcome.text,
                outcome.state,
                tokens=completion.tokens if completion else 0,
                prompt_tokens=completion.prompt_tokens if completion else 0,
                notes=outcome.notes,
            )
            self._note(asked, outcome, store)
        return show_turn(store, turn_of(store, asked.owner, asked.conversation, asked.turn))

    def _note(self, asked: Asked, outcome: Outcome, store: Store) -> None:
        from edgekit.ward.audit import Answered

        model, completion = self._service.model, outcome.completion
        if completion is None:
            code = outcome.failure.code if outcome.failure else "unknown"
            store.audit.note("failed", asked.who, conversation=asked.conversation, turn=asked.turn, code=code)
            return
        store.audit.answered(
            Answered(
                who=asked.who,
                conversation=asked.conversation,
                turn=asked.turn,
                bundle=model.bundle.digest,
                engine=self._engine,
                slots=model.engine.slots,
                prompt=asked.keys,
                pictures=asked.pictures,
                params=asked.params,
                completion=completion,
            )
        )

    @cached_property
    def _engine(self) -> str:
        """What runs the model, which takes a look at the machine."""
        from edgekit.ward.audit import engine_words

        return engine_words(self._service.model)
