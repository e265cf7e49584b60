"""``edgekit ask``: one answer, streamed; with ``--chat`` the conversation goes on, with ``--batch`` a list is asked."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgekit.cli.batch import Asked, ask_batch, batch_options
from edgekit.cli.common import common
from edgekit.console import Console


@click.command("ask")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.argument("question", required=False)
@click.option("--image", "images", multiple=True, type=click.Path(path_type=Path), help="A picture to ask about.")
@click.option("--chat", is_flag=True, help="Go on asking; the conversation is remembered.")
@click.option("--max-tokens", default=256, show_default=True, type=click.IntRange(1), help="The longest answer.")
@click.option("--temperature", default=0.0, show_default=True, type=float, help="0 takes the likeliest token.")
@click.option("--top-p", default=1.0, show_default=True, type=float, help="Sample from this share of probability.")
@click.option("--top-k", default=0, show_default=True, type=int, help="Sample from so many tokens; 0: all.")
@click.option("--min-p", default=0.0, show_default=True, type=float, help="Drop tokens below this share of the best.")
@click.option("--repetition-penalty", default=1.0, show_default=True, type=float, help="Above 1 repeats less.")
@click.option("--stop", multiple=True, help="End the answer before this text.")
@click.option("--seed", type=int, help="The same seed gives the same answer.")
@batch_options
@common
def command(
    console: Console,
    bundle: Path | None,
    question: str | None,
    images: tuple[Path, ...],
    chat: bool,
    max_tokens: int,
    stop: tuple[str, ...],
    asked: Asked | None,
    **sampling: float | int | None,
) -> None:
    """Ask BUNDLE a QUESTION and write the answer as it comes.

    With --batch, ask a file of questions, or of every picture in a folder one QUESTION, of a BUNDLE or of a server
    (--url). What was answered is kept: the same command goes on where it was stopped.
    """
    if asked is not None:
        if images or chat:
            raise click.UsageError("--image and --chat are for single questions; leave them or --batch out")
        from edgekit.runtime import SamplingParams

        params = SamplingParams(max_tokens=max_tokens, stop=stop, **sampling)  # type: ignore[arg-type]
        ask_batch(console, asked, bundle, question, params)
        return
    if bundle is None:
        raise click.UsageError("give a BUNDLE to ask")
    if not (question or "").strip() and not chat:
        raise click.UsageError(f"give a QUESTION after the BUNDLE, which is '{bundle}' here; or --chat")
    if chat and console.json:
        raise click.UsageError("--chat is for people; leave --json out")
    from edgekit.cli.chat import Chat, lay, notes
    from edgekit.confidence.of_model import ModelConfidence
    from edgekit.runtime import SamplingParams
    from edgekit.runtime.model import Model

    params = SamplingParams(max_tokens=max_tokens, stop=stop, **sampling)  # type: ignore[arg-type]
    pictures = tuple(lay(console, path) for path in images)
    said = [line for path, picture in zip(images, pictures, strict=True) for line in notes(path, picture)]
    if sys.stderr.isatty():
        console.note("Loading the model …")
    with Model.open(bundle, slots=1) as model:
        talk = Chat(console, model, params, pictures, ModelConfidence.of(model))
        if question and question.strip():
            console.document(talk.ask(question).document(said))
        if chat:
            talk.go_on()
