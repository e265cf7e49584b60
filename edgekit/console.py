"""How commands talk: text and tables for people on stdout, or one JSON document; progress and errors on stderr.

Only commands hold a :class:`Console`; the library never prints. ``rich`` is imported when a table or a bar is
drawn, so that a command that draws none starts at once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import click

from edgekit import config
from edgekit.errors import EdgeKitError
from edgekit.progress import Progress

if TYPE_CHECKING:
    import rich.console

# What a checkpoint's or a file's name may carry must not steer the terminal.
_CONTROLS = {code: "�" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_MARKS = {"✓": "green", "✗": "red", "?": "yellow"}


@dataclass
class Console:
    """Where a command's output goes; the three flags are those of the command line."""

    json: bool = False
    verbose: bool = False
    debug: bool = False

    def print(self, text: str = "", end: str = "\n") -> None:
        """Print a line for people, at once; nothing with ``--json``. With ``end=""`` a streamed answer goes on."""
        if not self.json:
            click.echo(text.translate(_CONTROLS) + end, nl=False)

    def heading(self, text: str, end: str = "\n") -> None:
        """Print a line for people that stands out on a terminal."""
        if not self.json:
            plain = text.translate(_CONTROLS)
            click.echo((click.style(plain, bold=True) if _styled(sys.stdout) else plain) + end, nl=False)

    def code(self, lines: Callable[[], Sequence[str]]) -> None:
        """Print a code for cameras, white on black whatever the terminal's colours are; where that is none, nothing."""
        if not self.json and sys.stdout.isatty():
            for line in lines():
                click.echo(click.style(line, fg="bright_white", bg="black"))

    def note(self, text: str) -> None:
        """Print a remark that is no result: on stderr, with ``--json`` too."""
        click.echo(text.translate(_CONTROLS), err=True)

    def document(self, value: Any) -> None:
        """Print, with ``--json``, the command's one document: dataclasses, dicts, lists, text and numbers."""
        if self.json:
            click.echo(json.dumps(config.dump(value), indent=2))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
        """Print a table for people; the columns named in ``right`` hold figures and stand on the right."""
        if self.json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell.translate(_CONTROLS), _MARKS.get(cell, "")) for cell in row))
        _rich(sys.stdout).print(table)

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Print names and values for people, one pair a line."""
        width = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            self.print(f"{name:<{width}}  {value}".rstrip())

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Yield a :data:`~edgekit.progress.Progress` that draws bars on a terminal and writes plain lines to a log."""
        if not sys.stderr.isatty():
            yield log_lines(self.note)
            return
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Bars(*columns, console=_rich(sys.stderr)) as bars:
            tasks: dict[str, Any] = {}

            def show(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=total)
                bars.update(tasks[stage], completed=done, total=total)

            yield show

    def error(self, error: EdgeKitError) -> None:
        """Print what went wrong, then what to do."""
        word = click.style("Error:", fg="red", bold=True) if _styled(sys.stderr) else "Error:"
        click.echo(f"{word} {error.message.translate(_CONTROLS)}", err=True)
        if error.hint:
            self.note(error.hint)

    def show_logs(self) -> None:
        """Send EdgeKit's log to stderr: with ``--verbose`` from INFO on, with ``--debug`` all of it."""
        logger = logging.getLogger("edgekit")
        logger.setLevel(logging.DEBUG if self.debug else logging.INFO)
        if not logger.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            logger.addHandler(handler)


def log_lines(write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return a progress that writes lines: one when a stage ends, and one every ten seconds while it lasts."""
    started: dict[str, tuple[float, int]] = {}
    last: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now = clock()
        start, first = started.setdefault(stage, (now, done))  # what was begun before goes on, not from 0
        if done >= total:
            write(f"{stage}: done in {now - start:.1f} s")
            started.pop(stage)
        elif now - last.setdefault(stage, now) >= 10:
            left = f", about {_duration((now - start) * (total - done) / (done - first))} left" if done > first else ""
            write(f"{stage}: {100 * done // total} %{left}")
            last[stage] = now

    return show


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _styled(stream: TextIO) -> bool:
    """Whether ``stream`` shows colours, and whoever looks at it wants them."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _rich(stream: TextIO) -> rich.console.Console:
    """A rich console that never cuts lines in a log."""
    from rich.console import Console as RichConsole

    return RichConsole(file=stream, width=None if stream.isatty() else 200)
