"""``edgekit ask --batch``: its options, and a list asked from where it stopped to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
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
    """What the options say of a list: where it is, where its answers go, and which server is asked."""

    batch: Path
    out: Path | None
    url: str | None
    model: str | None
    token_file: Path | None
    ca: Path | None


def batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a list's options to a command; its function gets an :class:`Asked` as ``asked``, None without a list."""

    @wraps(function)
    def collected(*arguments: Any, **options: Any) -> Any:
        named = {name: options.pop(name) for name in _NAMES}
        if named["batch"] is not None:
            return function(*arguments, asked=Asked(**named), **options)
        _require_none(named, "is for a list; give --batch")
        return function(*arguments, asked=None, **options)

    for option in reversed(_OPTIONS):
        collected = option(collected)
    return collected


_OPTIONS = (
    click.option("--batch", type=click.Path(path_type=Path), help="A file of questions, or a folder of pictures."),
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where a list's answers go."),
    click.option("--url", help="Ask a list of this server of OpenAI's API; its token: $EDGEKIT_TOKEN."),
    click.option("--model", help="Which of the server's models.  [default: the one that it has]"),
    click.option("--token-file", type=click.Path(path_type=Path), help="Read the server's token from here."),
    click.option("--ca", type=click.Path(path_type=Path), help="The authority that signs for the server, in PEM."),
)
_NAMES = tuple(field.name for field in fields(Asked))
_OF_SERVERS = ("model", "token_file", "ca")


def _require_none(options: Mapping[str, Any], reason: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} {reason}, or leave it out")


def ask_batch(
    console: Console, asked: Asked, bundle: Path | None, question: str | None, params: SamplingParams
) -> None:
    """Ask a list; :class:`EdgeKitError` at the end where rows have no answer."""
    if asked.url is not None:
        if question is not None:
            raise click.UsageError("give a BUNDLE, or --url")
        bundle, question = None, None if bundle is None else str(bundle)  # without a BUNDLE, the QUESTION comes first
    elif bundle is None:
        raise click.UsageError("give a BUNDLE to ask, or --url")
    else:
        _require_none({name: getattr(asked, name) for name in _OF_SERVERS}, "is for a server; give --url")
    from edgekit.batch.rows import read_batch
    from edgekit.batch.run import run

    batch = read_batch(asked.batch, question)
    show_left_out(console, batch.left_out)
    with _answerer(asked, bundle) as answerer, console.progress() as progress:
        summary = run(batch, answerer, params, asked.out, progress)
    console.document(summary.document())
    show_summary(console, summary)
    if summary.failed:
        raise EdgeKitError(
            f"{summary.failed} of {summary.rows} rows have no answer",
            f"See 'error' in {summary.out}; the same command asks them again.",
        )


@contextmanager
def _answerer(asked: Asked, bundle: Path | None) -> Iterator[Answerer]:
    """What is asked: a server, else the bundle."""
    if asked.url is not None:
        from edgekit.batch.address import address, read_token
        from edgekit.batch.remote import Remote

        yield Remote(address(asked.url, read_token(asked.token_file), asked.ca), asked.model)
        return
    assert bundle is not None
    from edgekit.batch.local import Local
    from edgekit.runtime.model import Model

    with Model.open(bundle) as model:
        yield Local(model)
