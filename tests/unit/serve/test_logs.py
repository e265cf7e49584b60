"""A log on a full disk costs lines, and nothing but lines."""

from __future__ import annotations

import errno
import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from edgekit.serve.logs import SurvivingHandler, show


class Filling(io.StringIO):
    """A stream whose disk is full while ``full`` says so."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


@pytest.fixture(autouse=True)
def own_level() -> Iterator[None]:
    logger = logging.getLogger("uvicorn")
    level = logger.level
    yield
    logger.setLevel(level)


def shown(stderr: Filling, level: int = logging.INFO) -> SurvivingHandler:
    with redirect_stderr(stderr):
        return show(level)


def test_lines_go_to_stderr_with_their_time_and_level() -> None:
    shown(stderr := Filling())
    log = logging.getLogger("edgekit.serve")
    log.info("fine %d", 1)
    log.debug("not shown")
    assert stderr.getvalue().endswith(" INFO fine 1\n")
    assert len(stderr.getvalue().splitlines()) == 1


def test_shown_twice_a_line_stands_there_once() -> None:
    stderr = Filling()
    shown(stderr)
    shown(stderr, logging.DEBUG)
    logging.getLogger("edgekit.serve").debug("fine")
    assert stderr.getvalue().count("fine") == 1


def test_a_full_disk_costs_lines_and_is_got_over() -> None:
    handler = shown(stderr := Filling())
    log = logging.getLogger("edgekit.serve")
    stderr.full = True
    for _ in range(3):
        log.error("lost")
    stderr.full = False
    log.error("kept")
    assert handler.lost == 3
    assert stderr.getvalue().endswith("ERROR kept\n")
    assert "lost" not in stderr.getvalue()
    assert "Traceback" not in stderr.getvalue()


def test_a_disk_that_refuses_only_at_the_flush_is_got_over() -> None:
    with open("/dev/full", "w", buffering=1) as stream:
        handler = SurvivingHandler(stream)
        for number in range(20):
            handler.handle(logging.LogRecord("edgekit", logging.INFO, "", 0, "line %d", (number,), None))
        assert handler.lost == 20
        with pytest.raises(OSError, match="No space"):
            stream.close()


def test_of_the_http_library_only_errors_are_shown() -> None:
    shown(Filling(), logging.DEBUG)
    log = logging.getLogger("uvicorn.error")
    assert log.isEnabledFor(logging.ERROR)
    assert not log.isEnabledFor(logging.WARNING)
