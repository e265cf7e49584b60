"""The service's log: lines on stderr, which a journal or a terminal keeps. A full disk costs lines, never an answer."""

from __future__ import annotations

import logging


class SurvivingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes as long as that goes; ``lost`` counts the lines that could not be written."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line: Python would say so at the same place, which has just refused."""
        self.lost += 1


def show(level: int = logging.INFO) -> SurvivingHandler:
    """Send EdgeKit's log to stderr from ``level`` on, and of the HTTP library its errors alone."""
    logger = logging.getLogger("edgekit")
    handler = SurvivingHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return handler
