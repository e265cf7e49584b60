"""A log on a full disk costs lines, and nothing but lines."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
from contextlib import redirect_stderr

import pytest

from edgekit.serve.logs import SurvivingHandler, note_unhandled, quiet, show, types_of


class Filling(io.StringIO):
    """A stream whose disk is full while ``full`` says so."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


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


def test_of_requests_the_http_library_says_nothing_whoever_listens() -> None:
    quiet()
    root, lines = logging.getLogger(), Filling()
    handler = logging.StreamHandler(lines)
    root.addHandler(handler)
    try:
        for name in ("uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
            logging.getLogger(name).error("a whole request")
    finally:
        root.removeHandler(handler)
    assert lines.getvalue() == ""


def test_what_a_task_left_unheard_is_told_by_its_type() -> None:
    shown(stderr := Filling())
    loop = asyncio.new_event_loop()
    note_unhandled(loop, {"message": "patient 4711", "exception": ValueError("patient 4711")})
    note_unhandled(loop, {"message": "patient 4711"})
    loop.close()
    assert "ERROR A task failed unheard: ValueError\n" in stderr.getvalue()
    assert "4711" not in stderr.getvalue()


def test_the_types_of_an_error_are_told_and_not_its_text() -> None:
    def chain(depth: int) -> Exception:
        error = ValueError("patient 4711")
        error.__cause__ = chain(depth - 1) if depth else KeyError("patient 4711")
        return error

    assert types_of(chain(1)) == "ValueError from ValueError from KeyError"
    assert types_of(chain(99)).count("ValueError") == 5
    loop = ValueError()
    loop.__cause__ = loop
    assert types_of(loop).count("ValueError") == 5
