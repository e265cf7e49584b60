"""``edgekit serve`` as its users start it: a process of its own, which says where it answers and ends by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Process:
    """A running service: the address that it announced, and its process."""

    url: str
    announced: dict[str, Any]
    process: subprocess.Popen[str]
    log: Path

    def children(self, module: str) -> list[psutil.Process]:
        """Return its children that run ``module``."""
        return [child for child in psutil.Process(self.process.pid).children() if module in child.cmdline()]

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """End it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def process(
    bundle: Path, *options: str, site: Path, variables: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[Process]:
    """Start a service of ``bundle`` on a free port, with its settings in ``site`` and its log in a file there."""
    site.mkdir(exist_ok=True)
    log = log or site / "service.log"
    command = [sys.executable, "-m", "edgekit", "serve", str(bundle), "--port", "0", "--json", *options]
    surroundings = os.environ | {"EDGEKIT_SITE": str(site), "PYTHONPATH": str(ROOT)}
    surroundings |= {"EDGEKIT_STATE": str(site / "state"), **(variables or {})}
    with (
        log.open("w") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, env=surroundings, text=True) as child,
    ):
        try:
            assert child.stdout
            announced = _document(child.stdout, log)
            yield Process(announced["url"], announced, child, log)
        finally:
            child.kill()


def _document(lines: IO[str], log: Path) -> dict[str, Any]:
    """The first document that a process writes."""
    text = ""
    for line in lines:
        text += line
        if line == "}\n":
            document: dict[str, Any] = json.loads(text)
            return document
    raise AssertionError(f"the service ended before it answered: {text} {log.read_text() if log.is_file() else ''}")
