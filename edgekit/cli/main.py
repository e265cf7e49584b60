"""The command line: which commands there are, and what becomes of an error.

A command is the object ``command`` of ``edgekit/cli/NAME.py``, imported when it is invoked and not before, so
that ``edgekit --help`` is there at once. Commands hold no logic: they read arguments, call one function of the
library and show what it returns.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from edgekit import __version__
from edgekit.cli.common import logging_flags
from edgekit.config import did_you_mean
from edgekit.console import Console
from edgekit.errors import EdgeKitError

COMMANDS = {
    "demo": "The whole way on this machine with the embedded model, in seconds.",
    "targets": "The devices to build for; --detect says which one this machine is.",
    "doctor": "What this machine has and lacks for a target, and the commands that mend it.",
    "inspect": "What a checkpoint holds: family, parts, parameters, licence, intended use.",
    "plan": "What a model takes on a device before it is built; what fits where it doesn't.",
    "build": "From a checkpoint to a sealed bundle for a target.",
    "check": "Whether a bundle answers on this machine as it should; which component, where not.",
    "quantize": "Only quantize: write a smaller checkpoint.",
    "export": "Only export: write a checkpoint's ONNX graphs.",
    "compile": "Only compile: let this machine map a bundle's weights as its processor wants them.",
    "phantoms": "Write synthetic radiographs with questions and right answers.",
    "profile": "What a bundle takes on this machine, measured, against its budget and its plan.",
    "report": "Pictures of profiles, and published memory figures beside ours.",
    "evaluate": "How often bundles answer rightly, side by side.",
    "tune": "Train: so far the embedded model, from nothing.",
    "ask": "Ask a bundle a question, about an image if you like.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        folder = Path(__file__).parent
        return [name for name in COMMANDS if (folder / f"{name}.py").exists()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"edgekit.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known:
            ctx.fail(f"there is no command '{args[0]}'. {did_you_mean(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="edgekit", message="%(prog)s %(version)s")
@logging_flags
def cli() -> None:
    """EdgeKit takes a medical vision-language model from a checkpoint to a running service on a small device."""


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (``sys.argv`` without one) and return its exit code.

    0 done, 1 an error, 2 wrong usage, 3 a gate refused, 128 + a signal's number where one ended it (130: Ctrl-C).
    This is the border where errors become messages; nothing is raised past it.
    """
    console = Console()
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a narrow locale must not break an answer
    try:
        with (
            _ending_by_signal(),
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
        console.note("Interrupted.")
        return 130
    except Ended as end:
        console.note(f"Ended by {end.signal.name}.")
        return 128 + end.signal
    except Exception as error:
        if console.debug:
            traceback.print_exc()
        code = _report(error, console)
        try:
            sys.stdout.flush()
        except OSError:
            _close_stdout()
        return code


class Ended(BaseException):
    """A signal asked the process to end; raised like Ctrl-C's own exception, so that nothing half-made stays."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Turn SIGTERM, and SIGHUP (a connection that dropped), into :class:`Ended` while a command runs."""

    def end(number: int, frame: object) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _close_stdout() -> None:
    """Nothing more reaches stdout: what its buffer still holds must not fail again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception, console: Console) -> int:
    """Say on stderr what went wrong; the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:  # the machine's own refusal, not a fault of ours
        where = f"{error.filename}: " if error.filename else ""
        error = EdgeKitError(f"{where}{error.strerror}", "Check the disk, the path and its permissions.")
    if not isinstance(error, EdgeKitError):
        what = f"internal error: {type(error).__name__}: {error}".splitlines()[0]
        error = EdgeKitError(what, "Run the command again with --debug and send us what it shows.")
    console.error(error)
    return error.exit_code
