"""A Python process of EdgeKit's own: what must be able to crash alone, or is measured from a clean start.

It says on stdout what it has to say, one JSON array a line: ``["progress", stage, done, total]`` as often as it likes,
and at the end ``["done", result…]`` or ``["error", message, hint]``. Its stdin stays open and empty: when it closes,
the process that started it has ended, and the child ends too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from edgekit.errors import EdgeKitError, EngineError, gist
from edgekit.progress import Progress, silent

# As -m runs a module, but for Python 3.10, which knows no PYTHONSAFEPATH: there, -m and -c put the working directory
# first, and a file of somebody else's that lies in it would be imported for one of ours.
_RUN = (
    "import sys; sys.path[:] = filter(None, sys.path); import runpy; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


class Crash(EngineError):
    """A child that ended without a result; ``signal`` is the number of what ended it, 0 where it ended by itself."""

    def __init__(self, message: str, hint: str, signal: int) -> None:
        super().__init__(message, hint)
        self.signal = signal


class Overdue(Crash):
    """A child that was ended because it took too long."""


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules with the interpreter that runs this."""
    return [sys.executable, "-c", _RUN, module, *arguments]


def environment() -> dict[str, str]:
    """Return this process's environment, in which a child finds every module that this process has found,
    and no other.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    return os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


def listen(
    command: list[str],
    doing: str,
    progress: Progress = silent,
    variables: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> list[Any]:
    """Run a child to its end; its result. ``variables`` are added to its environment. It is ended after ``seconds``, if
    they are given: :class:`Overdue`.

    ``doing`` begins the :class:`Crash` that says how it ended without one ("Compiling"). The child's own errors
    come as :class:`EdgeKitError`. However this ends, the child has ended.
    """
    pipe, surroundings = subprocess.PIPE, environment() | dict(variables or {})
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=complaints,
            env=surroundings,
            text=True,
            errors="replace",
        ) as child,
        _within(child, seconds) as overdue,
    ):
        assert child.stdout
        try:
            for line in child.stdout:
                match _words(line):
                    case ["progress", str(stage), int(done), int(total)]:
                        progress(stage, done, total)
                    case ["error", str(message), str(hint)]:
                        raise EngineError(message, hint)
                    case ["done", *result]:
                        return result
        except BaseException:
            child.kill()
            raise
        status = child.wait()
        if overdue.is_set():
            raise Overdue(f"{doing} took longer than {seconds:.0f} s, and was ended", "", signal.SIGKILL)
        raise _crash(doing, status, complaints)


@contextmanager
def _within(child: subprocess.Popen[str], seconds: float | None) -> Iterator[threading.Event]:
    """Kill a child after ``seconds``; whether that was done is what is yielded."""
    overdue = threading.Event()

    def end() -> None:
        overdue.set()
        child.kill()

    timer = threading.Timer(seconds, end) if seconds is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        yield overdue
    finally:
        if timer:
            timer.cancel()
            timer.join()


def _words(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _crash(doing: str, status: int, complaints: IO[bytes]) -> Crash:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    end = f"was ended by {_signal(-status)}" if status < 0 else f"failed: {gist((lines or ['it gave no answer'])[-1])}"
    hint = "Check that there is memory and disk left; run with --debug."
    return Crash(f"{doing} {end}", hint, max(-status, 0))


def _signal(number: int) -> str:
    names = {member.value: member.name for member in signal.Signals}
    return names.get(number, f"signal {number}")


def speak(work: Callable[[Callable[..., None]], list[Any]]) -> None:
    """Play the child's side: end with stdin, do ``work`` and tell its result or its error.

    ``work`` gets a function that tells lines: ``say("progress", stage, done, total)``.
    """
    threading.Thread(target=_end_with_stdin, daemon=True).start()

    def say(*words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    try:
        say("done", *work(say))
    except EdgeKitError as error:
        say("error", error.message, error.hint)


def _end_with_stdin() -> None:
    os.read(0, 1)  # not sys.stdin: its lock would still be held when Python ends
    os._exit(1)
