"""EdgeKit at a terminal of its own (pty(7)), as somebody types at it: what it says there, and how it ends."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.mirrored import ROOT


class Terminal:
    """A terminal, and the process at it. ``said`` is all that has come, without colours and carriage returns."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self._read = b""

    @property
    def said(self) -> str:
        text = self._read.decode(errors="replace").replace("\r", "")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def wait_for(self, pattern: str, seconds: float = 240) -> str:
        """Wait until what was said matches, and return the first group, or all of it."""
        end = time.monotonic() + seconds
        while (match := re.search(pattern, self.said)) is None:
            assert time.monotonic() < end, self.said
            assert self._take(end - time.monotonic()), f"it ended without: {pattern}\n{self.said}"
        return match[match.re.groups and 1]

    def type(self, text: str) -> None:
        """Type: the terminal turns control characters into signals."""
        os.write(self._descriptor, text.encode())

    def end(self, seconds: float = 60) -> int:
        """Read to the end, and return how the process ended."""
        end = time.monotonic() + seconds
        while self._take(end - time.monotonic()):
            assert time.monotonic() < end, self.said
        return self.process.wait(max(0.1, end - time.monotonic()))

    def _take(self, seconds: float) -> bool:
        """Read what comes next; False at the end. Linux says EIO once nobody has the other side open."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0, seconds))
        if not ready:
            return True
        with suppress(OSError):
            part = os.read(self._descriptor, 65536)
            self._read += part
            return bool(part)
        return False


@contextmanager
def at_terminal(*arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run ``edgekit`` at a terminal, in an environment of ``variables`` and little else; it is ended in the end."""
    inside, outside = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "TERM": "xterm"}
    command = [sys.executable, "-m", "edgekit", *arguments]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment | {"OMP_NUM_THREADS": "1"} | dict(variables or {}),
        stdin=outside,
        stdout=outside,
        stderr=outside,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(outside)
    try:
        yield Terminal(process, inside)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(inside)


def _take_terminal() -> None:
    """In the child, a session's first: its standard input becomes the terminal whose keys send it signals."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
