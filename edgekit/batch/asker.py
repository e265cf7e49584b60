"""One row after the other asked of a server, over a connection of its own, with patience."""

from __future__ import annotations

import threading
import time
from typing import Any

from edgekit.batch.address import TOKEN, Address
from edgekit.batch.answer import Answer, failed
from edgekit.batch.patience import Patience, step
from edgekit.batch.pictures import digest, read_files
from edgekit.batch.reply import Connection, Lost, Reply
from edgekit.batch.request import request_of
from edgekit.batch.rows import Row
from edgekit.errors import EdgeKitError, InputError
from edgekit.runtime import SamplingParams

_GO_ON = "What was answered is kept: the same command goes on there."


class Asker:
    """Asks for one thread, which closes it at last; another one may ``stop`` it."""

    def __init__(self, address: Address, model: str, params: SamplingParams, patience: Patience) -> None:
        self._address, self._model, self._params, self._patience = address, model, params, patience
        self._connection = Connection(address)
        self.stopped = threading.Event()

    def stop(self) -> None:
        """End what is waited for."""
        self.stopped.set()
        self._connection.interrupt()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def answer(self, row: Row) -> Answer | None:
        """Return what comes of a row; None where it was stopped. :class:`EdgeKitError` where no row gets an answer."""
        try:
            files = read_files(row)
        except InputError as error:
            return failed(error)
        digests = tuple(digest(file) for file in files)
        try:
            reply = self._reply(request_of(row, files, self._model, self._params))
        except _RowLost as lost:
            return failed(lost, digests)
        if reply is None:
            return None
        if step(reply) == "row":
            return Answer(sha256=digests, error=reply.error or "The server's answer has no end")
        return Answer(
            sha256=digests,
            text=reply.text,
            reason=reply.reason,
            tokens=reply.tokens,
            seed=self._params.seed if reply.seed is None else reply.seed,
            notes=reply.notes,
        )

    def _reply(self, request: dict[str, Any]) -> Reply | None:
        """The reply that a row is left with; None where it was stopped."""
        until = time.monotonic() + self._patience.busy_s
        tries = losses = 0
        while not self.stopped.is_set():
            reply: Reply | None = None
            try:
                reply = self._connection.post("/chat/completions", request)
            except Lost as lost:
                if lost.stale:
                    continue  # it was kept too long: the same over another one
                losses += 1
                if losses >= self._patience.losses and not self.stopped.is_set():
                    self._give_up(lost)
            else:
                if step(reply) == "run":
                    raise refused(self._address, reply)
                if step(reply) != "again":
                    return reply
                losses = 0
            tries += 1
            wait_s = self._patience.wait_s(tries, reply)
            if time.monotonic() + wait_s > until:
                raise EdgeKitError(f"{self._address.url} has had no place for {self._patience.busy_s:g} s", _GO_ON)
            self._connection.close()  # a server that is busy has better use for it
            self.stopped.wait(wait_s)
        return None

    def _give_up(self, lost: Lost) -> None:
        """Be done with the row where the server answers others, else with all of them."""
        try:
            self._connection.get("/models")
        except Lost:
            raise EdgeKitError(f"{self._address.url} can't be reached any more: {lost}", _GO_ON) from lost
        raise _RowLost(f"The connection was lost each time: {lost}", "The server's log may say why.") from lost


class _RowLost(EdgeKitError):
    """A row has no answer, and others may have one."""


def refused(address: Address, reply: Reply) -> EdgeKitError:
    """Return why no row can be answered, by a reply that says so."""
    if reply.status in (401, 403):
        hint = "Check the token." if address.token else f"Give a token by --token-file or {TOKEN}."
        return InputError(f"{address.url} does not let us in: {reply.error}", hint)
    return InputError(f"{address.url} does not answer: {reply.error}", "Check the address, and --model.")
