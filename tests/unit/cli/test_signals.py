"""Signals that end a command become exceptions while it runs, and are what they were behind it."""

from __future__ import annotations

import os
import signal

import pytest

from edgekit.cli.signals import Ended, ending_by_signal


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Ended), (signal.SIGHUP, Ended), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_is_raised_and_noted(number: signal.Signals, kind: type[BaseException]) -> None:
    before, received = signal.getsignal(number), list[signal.Signals]()
    with pytest.raises(kind) as raised, ending_by_signal(received):
        os.kill(os.getpid(), number)
    assert received == [number]
    if isinstance(raised.value, Ended):
        assert raised.value.signal is number
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        received = list[signal.Signals]()
        with ending_by_signal(received):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not received
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_no_handler_catches_it_as_an_error() -> None:
    assert not issubclass(Ended, Exception)
