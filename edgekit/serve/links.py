"""Answers that outlive a dropped link: a caller who named the conversation takes its answer up where the link broke.

The id is the client's, in the header ``X-Conversation-Id``, long enough that it can't be guessed, and counts only
together with who the caller is. An answer that nobody reads goes on for a stated time, and so long it is kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from edgekit.serve.caller import Caller
from edgekit.serve.exchange import Exchange, Form
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.service import Service

HEADER = b"x-conversation-id"
_ID = re.compile(r"[A-Za-z0-9_-]{22,128}")
MOST_PER_CALLER = 32
"""So many answers are kept for one caller; the oldest that has ended makes way."""
RETRY_S = 5
"""What a caller with as many is told to wait for one to end."""


@dataclass(eq=False)
class Kept:
    """An exchange that can be taken up, and who reads it now."""

    exchange: Exchange
    form: Form
    readers: int = 0
    timer: asyncio.TimerHandle | None = None


class Links:
    """The answers that can be taken up, by caller and conversation."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept: dict[tuple[str, str], Kept] = {}
        service.on_forget = self.forget

    def require_free(self, caller: Caller, id: str) -> None:
        """Refuse, with status 409, a question in a conversation whose last answer is still being written, and with 429
        one of a caller who has as many answers written as are kept for it.
        """
        kept = self._kept.get((caller.id, id))
        if kept is not None and not kept.exchange.ended:
            message = "This conversation's last answer is still being written: take it up, or wait for its end."
            raise Refusal(409, message, "answer_running", headers=NEVER_RETRY)
        own = self._others(caller, id)
        if len(own) >= MOST_PER_CALLER and not any(self._kept[key].exchange.ended for key in own):
            message = "Too many conversations of yours are being answered."
            headers = {"retry-after": str(RETRY_S), **NEVER_RETRY}
            raise Refusal(429, message, "too_many_requests", headers=headers)

    def keep(self, caller: Caller, id: str, exchange: Exchange, form: Form) -> Kept:
        """Keep an exchange under its conversation's id, in the place of the one before, and where a caller has many, of
        its oldest that has ended.
        """
        key = caller.id, id
        self._drop(key)
        own = self._others(caller, id)
        if len(own) >= MOST_PER_CALLER:
            self._drop(next(other for other in own if self._kept[other].exchange.ended))
        kept = self._kept[key] = Kept(exchange, form)
        return kept

    def of(self, caller: Caller, id: str) -> Kept:
        """Return what is kept; :class:`Refusal` of status 404 where nothing is, or it is another caller's."""
        kept = self._kept.get((caller.id, id))
        if kept is None:
            raise Refusal(404, "There is no answer of this conversation to take up.", "conversation_not_found")
        return kept

    @contextmanager
    def reading(self, caller: Caller, id: str, kept: Kept) -> Iterator[None]:
        """Read an answer. Where the last reader leaves, it goes on and is kept for the stated time."""
        kept.readers += 1
        if kept.timer is not None:
            kept.timer.cancel()
            kept.timer = None
        try:
            yield
        finally:
            kept.readers -= 1
            if kept.readers == 0:
                seconds = self._service.limits.resume_s
                loop = asyncio.get_running_loop()
                kept.timer = loop.call_later(seconds, self._expire, (caller.id, id), kept)

    def forget(self, caller: str) -> None:
        """Keep nothing of a caller's."""
        for key in [key for key in self._kept if key[0] == caller]:
            self._drop(key)

    def _others(self, caller: Caller, id: str) -> list[tuple[str, str]]:
        """A caller's conversations but one, oldest first."""
        return [key for key in self._kept if key[0] == caller.id and key[1] != id]

    def _expire(self, key: tuple[str, str], kept: Kept) -> None:
        if self._kept.get(key) is kept:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            if kept.timer is not None:
                kept.timer.cancel()
            self._service.end(kept.exchange)


def conversation_id(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the conversation that a request names; :class:`Refusal` of status 400 where others could guess its id."""
    values = [value.decode("latin-1") for name, value in headers if name == HEADER]
    if not values:
        return None
    if len(values) > 1 or not _ID.fullmatch(values[0]):
        message = "X-Conversation-Id is 22 to 128 letters, digits, '-' and '_', made at random (a UUID will do)."
        raise Refusal(400, message, "invalid_conversation_id")
    return values[0]
