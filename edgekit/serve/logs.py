"""The service's log: lines on stderr, which a journal or a terminal keeps. A full disk costs lines, never an answer.

What libraries would say of a request may hold what was asked: their loggers are kept to what they say of themselves.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger("edgekit.serve")


class SurvivingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes as long as that goes; ``lost`` counts the lines that could not be written."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line: Python would say so at the same place, which has just refused."""
        self.lost += 1


def show(level: int = logging.INFO) -> SurvivingHandler:
    """Send EdgeKit's log to stderr from ``level`` on."""
    logger = logging.getLogger("edgekit")
    handler = SurvivingHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    return handler


def quiet() -> None:
    """Silence what uvicorn would log of requests: at its finest level, it writes down whole messages."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False


def note_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what no task was left to raise, by its type: its text may hold what was asked."""
    error = context.get("exception")
    log.error("A task failed unheard: %s", types_of(error) if error else "no exception")


def types_of(error: BaseException) -> str:
    """Return the types of an error and of what caused it: their texts may hold what was asked."""
    names: list[str] = []
    current: BaseException | None = error
    while current is not None and len(names) < 5:
        names.append(type(current).__name__)
        current = current.__cause__
    return " from ".join(names)
