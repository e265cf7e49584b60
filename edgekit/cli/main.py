"""The command line's border: what becomes of an error, a signal, and a reader that has gone."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from signal import SIGINT, Signals

import click

from edgekit.cli.commands import cli
from edgekit.cli.signals import Ended, ending_by_signal
from edgekit.console import Console
from edgekit.errors import EdgeKitError


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (``sys.argv`` without one) and return its exit code.

    0 done, 1 an error, 2 wrong usage, 3 a gate refused, 128 + a signal's number where one ended it (130: Ctrl-C).
    This is the border where errors become messages; nothing is raised past it.
    """
    console, received = Console(), list[Signals]()
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a narrow locale must not break an answer
    try:
        with (
            ending_by_signal(received),
            cli.make_context("edgekit", list(sys.argv[1:] if args is None else args), obj=console) as context,
        ):
            cli.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:  # the reader of our output has gone: as other tools do, say nothing
        _close_stdout()
        return 1
    except (KeyboardInterrupt, click.Abort):
        return _end(console, SIGINT)
    except Ended as end:
        return _end(console, end.signal)
    except Exception as error:
        if received:
            return _end(console, received[0])
        if console.debug:
            traceback.print_exc()
        code = _report(error, console)
        try:
            sys.stdout.flush()
        except OSError:
            _close_stdout()
        return code


def _end(console: Console, number: Signals) -> int:
    console.note("Interrupted." if number == SIGINT else f"Ended by {number.name}.")
    return 128 + number


def _close_stdout() -> None:
    """Nothing more reaches stdout: what its buffer still holds must not fail again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception, console: Console) -> int:
    """Say on stderr what went wrong; the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:  # the machine's own refusal, not a fault of ours
        file = f"{error.filename}: " if error.filename else ""
        error = EdgeKitError(f"{file}{error.strerror}", "Check the disk, the path and its permissions.")
    if not isinstance(error, EdgeKitError):
        what = f"internal error: {type(error).__name__}: {error}".splitlines()[0]
        error = EdgeKitError(what, "Run the command again with --debug and send us what it shows.")
    console.error(error)
    return error.exit_code
