"""Real control groups with little memory, where this machine lets us make them (root, either version)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIMITS = ("memory.limit_in_bytes", "memory.max")


@contextmanager
def small_group(limit_bytes: int) -> Iterator[Path]:
    """A control group of our own below this process's, with so much memory; skips the test where none can be made."""
    folder = _folder()
    try:
        if folder is None:
            raise PermissionError
        folder.mkdir()
        limit = next(name for name in _LIMITS if (folder / name).exists())
        (folder / limit).write_text(str(limit_bytes))
    except (OSError, StopIteration):
        if folder is not None and folder.exists():
            folder.rmdir()
        pytest.skip("control groups can't be made here")
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """The kernel may still be clearing away a process that it killed for memory."""
    end = time.monotonic() + 10
    while (folder / "cgroup.procs").read_text() and time.monotonic() < end:
        time.sleep(0.05)
    folder.rmdir()


def _folder() -> Path | None:
    rows = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for names, tree in (("memory", "/sys/fs/cgroup/memory"), ("", "/sys/fs/cgroup")):
        path = next((path for _, listed, path in rows if names in listed.split(",")), None)
        if path is not None and os.access(f"{tree}{path}", os.W_OK):
            return Path(f"{tree}{path}") / f"edgekit-test-{os.getpid()}"
    return None


def run_in(group: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a control group."""
    script = f'echo $$ > "{group}/cgroup.procs" && exec "$@"'
    return subprocess.run(["sh", "-c", script, "sh", sys.executable, *arguments], capture_output=True, text=True)
