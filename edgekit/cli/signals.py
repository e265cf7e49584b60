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
def ending_by_signal(received: list[signal.Signals]) -> Iterator[None]:
    """Turn SIGTERM, and SIGHUP (a connection that dropped), into :class:`Ended` while a command runs.

    ``received`` gets these and Ctrl-C: a native module that is just being imported may swallow what they raise, and
    fail with an error of its own.
    """

    def end(number: int, frame: object) -> None:
        received.append(signal.Signals(number))
        raise KeyboardInterrupt if number == signal.SIGINT else Ended(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores, and so do we
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
