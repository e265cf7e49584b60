"""A list asked of a service, or of any other server that speaks OpenAI's API, with all of its slots kept busy."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from queue import SimpleQueue
from ssl import SSLCertVerificationError
from typing import TypeAlias

from edgekit.batch.address import Address
from edgekit.batch.answer import Answer
from edgekit.batch.asker import Asker, refused
from edgekit.batch.patience import Patience
from edgekit.batch.reply import Connection, Lost
from edgekit.batch.rows import Row
from edgekit.batch.served import ServedModel, choose
from edgekit.errors import EdgeKitError, InputError
from edgekit.runtime import SamplingParams

Outcome: TypeAlias = "tuple[Row, Answer] | Exception"
_JOIN_S = 2.0


class Remote:
    """Answers by a server; an :class:`~edgekit.batch.answer.Answerer`.

    :class:`EdgeKitError` where it can't be reached, does not let us in, or has no such ``model`` (None: the one that it
    has).
    """

    def __init__(self, address: Address, model: str | None = None, patience: Patience | None = None) -> None:
        self._address = address
        self._patience = patience or Patience()
        served = _served(address, model)
        self.model, self.fingerprint, self._at_once = served.name, served.fingerprint, served.at_once

    def answers(self, rows: Sequence[Row], params: SamplingParams) -> Generator[tuple[Row, Answer], None, None]:
        """Yield the rows' answers as they come; :class:`EdgeKitError` where the server answers nobody any more."""
        outcomes: SimpleQueue[Outcome] = SimpleQueue()
        todo = _Shared(iter(rows))
        askers = [
            Asker(self._address, self.model, params, self._patience) for _ in range(min(self._at_once, len(rows)))
        ]
        threads = [threading.Thread(target=_ask, args=(asker, todo, outcomes), daemon=True) for asker in askers]
        try:
            for thread in threads:
                thread.start()
            for _ in rows:
                outcome = outcomes.get()
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome
        finally:
            for asker in askers:
                asker.stop()
            for thread in threads:
                if thread.ident is not None:
                    thread.join(_JOIN_S)


class _Shared:
    """Rows that several threads take one by one."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._lock = threading.Lock()

    def take(self) -> Row | None:
        with self._lock:
            return next(self._rows, None)


def _ask(asker: Asker, todo: _Shared, outcomes: SimpleQueue[Outcome]) -> None:
    """Ask as long as there are rows: what a thread of its own does."""
    try:
        while not asker.stopped.is_set() and (row := todo.take()) is not None:
            answer = asker.answer(row)
            if answer is not None:
                outcomes.put((row, answer))
    except Exception as error:  # told where it is waited for
        outcomes.put(error)
    finally:
        asker.close()


def _served(address: Address, model: str | None) -> ServedModel:
    connection = Connection(address)
    try:
        reply = connection.get("/models")
    except Lost as lost:
        raise _unreachable(address, lost) from lost
    finally:
        connection.close()
    if reply.status == 404 and model is not None:
        return ServedModel(model)  # not every server lists its models
    if reply.error is not None:
        raise refused(address, reply)
    return choose(reply.document, model, address.url)


def _unreachable(address: Address, lost: Lost) -> EdgeKitError:
    if isinstance(lost.__cause__, SSLCertVerificationError):
        reason = lost.__cause__.verify_message
        hint = "Give the certificate of the authority that signs for it by --ca FILE."
        return InputError(f"{address.url} has a certificate that is not trusted: {reason}", hint)
    return InputError(f"{address.url} can't be reached: {lost}", "Is the service running there? Check the address.")
