"""What every command shares: ``--json``, ``--verbose``, ``--debug``, and the :class:`Console` that they set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgekit.console import Console

CALIBRATE = "Fit 4-bit weights to these questions with pictures: JSON as LLaVA's or VQA-RAD's, or its folder."
F = TypeVar("F", bound=Callable[..., Any])


def _set(context: click.Context, parameter: click.Parameter, is_set: bool) -> None:
    console = context.ensure_object(Console)
    if is_set and parameter.name:
        setattr(console, parameter.name, True)
    if console.verbose or console.debug:
        console.show_logs()


def _flag(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, is_flag=True, expose_value=False, is_eager=True, callback=_set, help=text)


vision_option = click.option(
    "--vision", type=click.Path(path_type=Path), help="Take the vision tower from this checkpoint instead."
)
"""For towers that a checkpoint lacks, or does not describe: ``open_checkpoint``'s argument of that name."""

requantize_flag = click.option(
    "--requantize", is_flag=True, help="Quantize anew what another tool packed, where it doesn't fit symmetric int4."
)
"""For what other tools quantized: ``open_checkpoint``'s argument of that name."""


def logging_flags(function: F) -> F:
    """Add ``--verbose`` and ``--debug``."""
    return _flag("--verbose", "Show logs.")(_flag("--debug", "Show logs and the traceback of an error.")(function))


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared flags to a command; its function gets the :class:`Console` as its first argument."""
    return logging_flags(_flag("--json", "Write one JSON document to stdout.")(_pass_console(function)))


_pass_console = click.make_pass_decorator(Console, ensure=True)


def show_notes(console: Console, notes: Iterable[str]) -> None:
    """Say what EdgeKit does otherwise than the model's makers, on stderr."""
    for note in notes:
        console.note(f"Note: {note}")
