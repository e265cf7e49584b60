"""What holds for every test: no network, one thread per library, the same random examples in every run."""

from __future__ import annotations

import os

# Before numpy, torch and onnxruntime are imported: the suite shares small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["EDGEKIT_SITE"] = "/proc/nonexistent"  # what a site lays over what ships is not for tests

import logging
import signal
import socket
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from edgekit import machine
from tests import results
from tests.embedded_bundles import EmbeddedBundles

# A shell's background job ignores Ctrl-C, one under nohup a hang-up, and so would every process that a test starts to
# end it by them.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# A failure that only some runs see is worth little to the person who sees it: examples are derandomized, and a
# longer search is HYPOTHESIS_PROFILE=search.
settings.register_profile(
    "tests", derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


@pytest.fixture(scope="session")
def embedded_as(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBundles]:
    """The embedded model's bundles by their recipes, built once and read only."""
    bundles = EmbeddedBundles(tmp_path_factory.mktemp("embedded"))
    yield bundles
    assert not bundles.changed(), "a test wrote into a bundle that all share: let it take a copy"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections leave this machine in no test; those within it are for the tests of services."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test has this machine seem to be is not what the next one finds."""
    monkeypatch.setattr(machine, "_kept", None)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What ``--verbose`` and ``--debug`` attach to the log would write to a stream that their test has closed."""
    logger = logging.getLogger("edgekit")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """`make test-long` ends with its results as docs/figures.md has them."""
    if config.getoption("markexpr") == "long":
        gathered = results.gathered(terminalreporter.stats)
        computer = machine.look()
        processor = f"{computer.cores} cores of {computer.cpu}, {results.instructions(computer.features)}"
        terminalreporter.section("for docs/figures.md")
        terminalreporter.write_line(results.table(gathered, date.today().isoformat(), results.commit(), processor))
