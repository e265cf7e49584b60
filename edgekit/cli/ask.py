"""``edgekit ask``: one answer, streamed; with ``--chat`` the conversation goes on."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.errors import EdgeKitError

if TYPE_CHECKING:
    from edgekit.inputs.images import Picture
    from edgekit.inputs.prompt import Turn
    from edgekit.runtime import Completion, SamplingParams
    from edgekit.runtime.model import Model


@click.command("ask")
@click.argument("bundle", type=click.Path(path_type=Path))
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
@common
def command(
    console: Console,
    bundle: Path,
    question: str | None,
    images: tuple[Path, ...],
    chat: bool,
    max_tokens: int,
    stop: tuple[str, ...],
    **sampling: float | int | None,
) -> None:
    """Ask BUNDLE a QUESTION and write the answer as it comes."""
    if question is None and not chat:
        raise click.UsageError("give a QUESTION, or --chat")
    if chat and console.json:
        raise click.UsageError("--chat is for people; leave --json out")
    from edgekit.inputs.images import load_image
    from edgekit.inputs.prompt import Turn
    from edgekit.runtime import SamplingParams
    from edgekit.runtime.model import Model

    params = SamplingParams(max_tokens=max_tokens, stop=stop, **sampling)  # type: ignore[arg-type]
    pictures = tuple(load_image(path) for path in images)
    with Model.open(bundle, slots=1) as model:
        turns: list[Turn] = []
        if question is not None:
            turns.append(Turn(question, images=pictures))
            pictures = ()
            completion = _answer(console, model, turns, params)
            turns[-1] = replace(turns[-1], answer=completion.text)
            console.document(
                {
                    "text": completion.text,
                    "tokens": completion.tokens,
                    "prompt_tokens": completion.prompt_tokens,
                    "first_token_ms": round(completion.first_token_ms, 1),
                    "tokens_per_s": round(completion.tokens_per_s, 2),
                    "reason": completion.reason,
                    "seed": completion.seed,
                }
            )
        if chat:
            _chat(console, model, turns, pictures, params)


def _answer(console: Console, model: Model, turns: list[Turn], params: SamplingParams) -> Completion:
    from edgekit.runtime import Finished

    completion = None
    for event in model.stream(turns, params):
        if isinstance(event, Finished):
            completion = event.completion
        else:
            console.print(event.text, end="")
    assert completion is not None, "a stream ends with its completion"
    console.print()
    return completion


def _chat(
    console: Console, model: Model, turns: list[Turn], pictures: tuple[Picture, ...], params: SamplingParams
) -> None:
    """Read questions until the end of input; "/image FILE" lays a picture before the next one."""
    from edgekit.inputs.images import load_image
    from edgekit.inputs.prompt import Turn

    if sys.stdin.isatty():
        console.note("Ask away. /image FILE adds a picture to the next question; Ctrl-D ends.")
    while (line := _read_line()) is not None:
        try:
            if line.startswith("/image "):
                pictures = (*pictures, load_image(Path(line.removeprefix("/image ").strip())))
                continue
            if not line:
                continue
            turns.append(Turn(line, images=pictures))
            completion = _answer(console, model, turns, params)
        except EdgeKitError as error:
            console.error(error)
            if turns and turns[-1].answer is None:
                turns.pop()
            continue
        pictures = ()
        turns[-1] = replace(turns[-1], answer=completion.text)


def _read_line() -> str | None:
    if sys.stdin.isatty():
        click.echo("> ", nl=False, err=True)
    line = sys.stdin.readline()
    return line.strip() if line else None
