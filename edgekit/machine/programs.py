"""Programs of the system that are asked something, each for a limited time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

# Where programs of the system lie that an ordinary user's PATH may leave out: nvpmodel, ldconfig; WSL's nvidia-smi.
_MORE_PATHS = ("/usr/sbin", "/sbin", "/usr/lib/wsl/lib")


@dataclass(frozen=True)
class Reply:
    """A program's answer; ``code`` is None where it did not run to its end, and ``why`` says why."""

    code: int | None
    out: str = ""
    err: str = ""
    why: str = ""

    @property
    def missing(self) -> bool:
        return self.why == MISSING


MISSING = "is not installed"
Runner = Callable[[tuple[str, ...], float, Mapping[str, str]], Reply]
"""Runs a program: the command, the most seconds, its environment."""


def run(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
    """Run a program for at most ``seconds``; one that does not end is killed, or left alone where even that fails."""
    path = os.pathsep.join((variables.get("PATH", os.defpath), *_MORE_PATHS))
    program = shutil.which(command[0], path=path)
    if program is None:
        return Reply(None, why=MISSING)
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            (program, *command[1:]), stdin=nothing, stdout=pipe, stderr=pipe, env=variables, start_new_session=True
        )
    except OSError as error:
        return Reply(None, why=f"can't be run: {error.strerror}")
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Reply(None, why=f"gave no answer within {seconds:g} s")
    return Reply(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started; one that waits in the kernel (a stuck driver) can't be ended or waited for."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=1)
