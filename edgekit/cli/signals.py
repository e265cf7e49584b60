"""Signals that ask a command to end, turned into an exception, so that everything is closed on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Ended(BaseException):
    """A signal asked the process to end; raised like Ctrl-C's own exception, so that nothing half-made stays."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@contextmanager
def ending_by_signal() -> Iterator[None]:
    """Turn SIGTERM, and SIGHUP (a connection that dropped), into :class:`Ended` while a command runs."""

    def end(number: int, frame: object) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
