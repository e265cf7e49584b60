"""What all endpoints share: the model with its engine's thread, who may wait, and how a request becomes orders."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from edgekit.bundle.manifest import Manifest
from edgekit.confidence.of_model import ModelConfidence
from edgekit.errors import ContextExceeded, EdgeKitError, InputError
from edgekit.inputs.prepared import PreparedPicture
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.runtime import SamplingParams
from edgekit.runtime.constraint import Constraint
from edgekit.runtime.model import Model
from edgekit.serve.answer import Order
from edgekit.serve.asgi import Bodies
from edgekit.serve.caller import Caller
from edgekit.serve.conversation import BETWEEN, Conversation, Question
from edgekit.serve.engine import EngineThread
from edgekit.serve.exchange import Exchange
from edgekit.serve.gallery import Gallery
from edgekit.serve.grammars import Grammars
from edgekit.serve.memory import MEMORY_SHORT, guard_for
from edgekit.serve.metrics import Metrics
from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.refusal import NEVER_RETRY, Refusal, invalid
from edgekit.serve.sample import Sample
from edgekit.serve.settings import Limits, Settings
from edgekit.serve.turns import Turns
from edgekit.units import format_bytes

BUSY_S = 5.0
"""What a caller is told to wait while nothing has been measured yet."""
RESTART_S = 10.0
"""What a service needs to be there again, beside the time that its last answers get."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How the answers to a conversation are to be written: how each is drawn, after or before others', by which JSON
    schema (None: as text)."""

    params: tuple[SamplingParams, ...]
    batch: bool
    schema: Mapping[str, Any] | None = None


class Service:
    """A model in service. Its parts are opened and closed by whoever runs it (:mod:`~edgekit.serve.server`)."""

    def __init__(
        self,
        model: Model,
        settings: Settings,
        decode: Callable[[bytes], Awaitable[PreparedPicture]],
        grammars: Grammars,
    ) -> None:
        self.model = model
        self.settings = settings
        self.confidence = ModelConfidence.of(model)
        self.engine = EngineThread(model.generator)
        self.gallery = Gallery(decode)
        self.grammars = grammars
        self.metrics = Metrics(self.engine)
        self.engine.on_end = self.metrics.count
        self.bodies = Bodies(settings.limits.body_bytes, settings.limits.bodies_bytes)
        self.preparing = Turns()
        self.memory = guard_for(self.manifest.target)
        self.on_forget: Callable[[str], object] = lambda caller: None
        self.exchanges: set[Exchange] = set()
        self.stopping_at: float | None = None
        self.failure: EdgeKitError | None = None
        self.samples: Sequence[Sample] = ()

    @property
    def limits(self) -> Limits:
        return self.settings.limits

    @property
    def manifest(self) -> Manifest:
        return self.model.bundle.manifest

    @property
    def name(self) -> str:
        """The model's name in the API."""
        return self.manifest.source

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and those that the site adds."""
        return (self.name, *self.settings.aliases)

    @property
    def fingerprint(self) -> str:
        """Which bundle answers."""
        return self.model.fingerprint

    def require_model(self, name: str | None) -> str:
        """Return the name that was asked for; :class:`Refusal` of status 404 where it is no name of the model's.

        Without a name, it is the one model that is here.
        """
        if name is None:
            return self.name
        if name not in self.names:
            message = f"There is no model '{name[:80]}' here; there is: {', '.join(self.names)}."
            raise Refusal(404, message, "model_not_found", param="model")
        return name

    @property
    def most_tokens(self) -> int:
        """How many tokens an answer may have: those that the site lets it, else as many as the context holds."""
        return self.limits.answer_tokens or self.model.engine.context

    def require_tokens(self, request: ChatRequest) -> None:
        """Refuse, with status 400, a wish for more tokens than the site lets an answer have."""
        most = self.limits.answer_tokens
        name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
        wanted = getattr(request, name)
        if most and wanted and wanted > most:
            raise invalid(name, f"is {wanted}; this service writes {most} at most.")

    async def orders(self, conversation: Conversation, wish: Wish, caller: Caller) -> tuple[list[Order], list[str]]:
        """Return the orders for a conversation's next answers, and what is to be said of its pictures.

        :class:`Refusal` where a limit is passed, or there is no place to wait; errors of pictures, schemas and prompts
        (:class:`~edgekit.errors.InputError`).
        """
        self._require_limits(conversation)
        share, batch, turns = caller.share, wish.batch or caller.batch, self.preparing
        self._require_place(share, batch, len(wish.params), turns.of(share), turns.count)
        async with turns.turn(share):
            constraints = await self._constraints(wish)
            notes: list[str] = []
            said = [await self._turn(question, caller, notes) for question in conversation.questions]
            prompt = await asyncio.to_thread(self._prompt, conversation.system, said)
        if len(prompt) >= self.model.engine.context:
            raise ContextExceeded(len(prompt), self.model.engine.context)
        orders = [
            Order(prompt=prompt, params=params, caller=caller.id, share=share, batch=batch, constraint=form)
            for params, form in zip(wish.params, constraints, strict=True)
        ]
        return [self._judged(order, said[-1].question) for order in orders], notes

    def _judged(self, order: Order, question: str) -> Order:
        """An order whose answer is held against the model's record of its confidence, where there is one."""
        confidence = self.confidence
        if confidence is None:
            return order
        return replace(order, params=confidence.params(order.params), judge=partial(confidence.notes, question))

    def exchange(self, orders: Sequence[Order], notes: Sequence[str]) -> Exchange:
        """Have orders answered; :class:`Refusal` of status 429 or 503 where there is no place to wait."""
        self._require_place(orders[0].share or orders[0].caller, orders[0].batch, len(orders))
        exchange = Exchange(self.engine, orders, self.limits, notes)
        self.exchanges.add(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Be done with an exchange: what of it still runs ends."""
        exchange.cancel()
        self.exchanges.discard(exchange)

    def forget(self, caller: str) -> None:
        """Have nothing that this caller sent be reused."""
        self.gallery.forget(caller)
        self.engine.forget(caller)
        self.on_forget(caller)

    def stop(self) -> None:
        """Take no new requests from now on."""
        self.stopping_at = self.stopping_at or time.monotonic() + self.limits.grace_s

    def require_open(self) -> None:
        """Refuse, with status 503, where the service is stopping, its engine has failed, or memory is short."""
        if self.stopping_at is not None:
            after = max(0.0, self.stopping_at - time.monotonic()) + RESTART_S
            raise _busy(503, "The service is stopping; what runs is finished.", "service_stopping", after)
        if self.engine.failed:
            raise _busy(503, "The engine has failed; the service starts again.", "engine_failed", RESTART_S)
        if short := self.memory.shortage():
            raise _busy(503, short, MEMORY_SHORT, BUSY_S)

    def _require_place(self, share: str, batch: bool, count: int, own_ahead: int = 0, ahead: int = 0) -> None:
        """Refuse ``count`` answers more than may wait: ``ahead`` requests, of which ``own_ahead`` count as the same
        caller's, are still being made ready. Work that can wait (``batch``) takes none of the last half of all places.
        """
        self.require_open()
        answers = self.engine.waiting
        own = own_ahead + sum(answer.share == share for answer in answers)
        waiting = ahead + len(answers)
        free = max(self.model.engine.slots - (len(self.engine.live) - len(answers)), 0)
        estimates = [answer.wait_s for answer in answers if answer.wait_s is not None]
        after = max(estimates, default=BUSY_S)
        if own + count > free + self.limits.waiting_per_caller:
            most = self.limits.waiting_per_caller
            message = f"{own} requests of yours are waiting, and with this more would than the {most} that may."
            raise _busy(429, message, "too_many_requests", after)
        if waiting + count > free + (self.limits.waiting // 2 if batch else self.limits.waiting):
            kept = ", and work that can wait leaves half of the places to others" if batch else ""
            raise _busy(503, f"{waiting} requests are waiting already{kept}.", "queue_full", after)

    def _require_limits(self, conversation: Conversation) -> None:
        limits = self.limits
        if conversation.images > limits.images:
            message = f"The conversation has {conversation.images} pictures; at most {limits.images} are taken."
            raise Refusal(400, message, "too_many_images", param="messages")
        images = [image for question in conversation.questions for image in question.images]
        sizes = [len(image) for image in images if isinstance(image, bytes)]
        if max(sizes, default=0) > limits.image_bytes:
            message = f"A picture's file has more than {format_bytes(limits.image_bytes)}."
            raise Refusal(413, message, "image_too_large", param="messages", headers=NEVER_RETRY)
        if conversation.text_bytes > limits.text_bytes:
            message = f"The conversation's text has more than {format_bytes(limits.text_bytes)}."
            raise Refusal(413, message, "text_too_large", param="messages", headers=NEVER_RETRY)

    async def _constraints(self, wish: Wish) -> list[Constraint | None]:
        if wish.schema is None:
            return [None] * len(wish.params)
        try:
            return [await self.grammars.constraint(wish.schema) for _ in wish.params]
        except InputError as error:
            reason = f"{error.message}. {error.hint}"
            raise Refusal(400, reason, "invalid_schema", param="response_format", headers=NEVER_RETRY) from error

    async def _turn(self, question: Question, caller: Caller, notes: list[str]) -> Turn:
        pictures = []
        for image in question.images:
            picture = self.gallery.picture(caller.id, image) if isinstance(image, bytes) else image()
            pictures.append(await picture)
            notes += [note for note in pictures[-1].notes if note not in notes]
        return Turn(question.text, question.answer, tuple(pictures))

    def _prompt(self, system: str | None, turns: list[Turn]) -> Prompt:
        if system is not None and not self.manifest.spec.template.takes_system:
            first = turns[0]
            turns = [Turn(system + BETWEEN + first.question, first.answer, first.images), *turns[1:]]
            system = None
        prompt = self.model.prompt(turns, system)
        len(prompt.keys)  # hashed here, and not in the engine's thread
        return prompt


def _busy(status: int, message: str, code: str, after_s: float) -> Refusal:
    headers = {"retry-after": str(max(1, round(after_s))), **NEVER_RETRY}
    return Refusal(status, message, code, headers=headers)
