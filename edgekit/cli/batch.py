"""``edgekit ask --batch``: its options, and a list asked from where it stopped to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.show.batch import show_left_out, show_summary
from edgekit.console import Console
from edgekit.errors import EdgeKitError

if TYPE_CHECKING:
    from edgekit.batch.answer import Answerer
    from edgekit.runtime import SamplingParams


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options say of a list: where it is, and where its answers go."""

    batch: Path
    out: Path | None


def batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a list's options to a command; its function gets an :class:`Asked` as ``asked``, None without a list."""

    @wraps(function)
    def collected(*arguments: Any, batch: Path | None, out: Path | None, **options: Any) -> Any:
        if batch is None and out is not None:
            raise click.UsageError("--out is for a list; give --batch, or leave it out")
        asked = None if batch is None else Asked(batch=batch, out=out)
        return function(*arguments, asked=asked, **options)

    for option in reversed(_OPTIONS):
        collected = option(collected)
    return collected


_OPTIONS = (
    click.option("--batch", type=click.Path(path_type=Path), help="A file of questions, or a folder of pictures."),
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where a list's answers go."),
)


def ask_batch(
    console: Console, asked: Asked, bundle: Path | None, question: str | None, params: SamplingParams
) -> None:
    """Ask a list; :class:`EdgeKitError` at the end where rows have no answer."""
    if bundle is None:
        raise click.UsageError("give a BUNDLE to ask")
    from edgekit.batch.rows import read_batch
    from edgekit.batch.run import run

    batch = read_batch(asked.batch, question)
    show_left_out(console, batch.left_out)
    with _open(bundle) as answerer, console.progress() as progress:
        summary = run(batch, answerer, params, asked.out, progress)
    console.document(summary.document())
    show_summary(console, summary)
    if summary.failed:
        raise EdgeKitError(
            f"{summary.failed} of {summary.rows} rows have no answer",
            f"See 'error' in {summary.out}; the same command asks them again.",
        )


@contextmanager
def _open(bundle: Path) -> Iterator[Answerer]:
    from edgekit.batch.local import Local
    from edgekit.runtime.model import Model

    with Model.open(bundle) as model:
        yield Local(model)
