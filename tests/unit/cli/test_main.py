"""The border: which exit code and which word a signal ends with, also one that a native module swallows."""

from __future__ import annotations

import os
import signal
from types import ModuleType

import pytest

from edgekit.cli.main import main

WORDS = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Ended by SIGTERM.", signal.SIGHUP: "Ended by SIGHUP."}


def swallowing(number: int) -> ModuleType:
    try:
        os.kill(os.getpid(), number)
        for _ in range(100_000):  # the handler runs between two instructions
            pass
    except BaseException:
        raise ImportError("initialization failed") from None
    raise AssertionError("no signal came")


@pytest.mark.parametrize("number", WORDS)
def test_a_signal_that_an_import_swallows_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    monkeypatch.setattr("edgekit.cli.commands.importlib.import_module", lambda name: swallowing(number))
    if number == signal.SIGHUP:  # as in a terminal: whoever runs the tests may have it ignored
        monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    assert main(["targets"]) == 128 + number
    assert capsys.readouterr().err.strip() == WORDS[number]


def test_what_is_ignored_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr(
            "edgekit.cli.commands.importlib.import_module", lambda name: os.kill(os.getpid(), signal.SIGHUP)
        )
        assert main(["targets"]) == 1  # what came back is no module, and nothing has ended it
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
