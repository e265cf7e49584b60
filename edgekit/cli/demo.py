"""``edgekit demo``: the whole way in one command, and what came of every step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.demo import show_next, show_step
from edgekit.console import Console
from edgekit.progress import silent


@click.command("demo")
@click.option(
    "--recipe", "recipe_name", default="q4", show_default=True, metavar="R", help="fp32, fp16, q8, q4 or a TOML."
)
@click.option(
    "--out", default="build/out/demo", show_default=True, type=click.Path(path_type=Path), help="All is written here."
)
@click.option("--chat/--no-chat", default=None, help="Go on with a chat, or don't; at a terminal it is asked.")
@common
def command(console: Console, recipe_name: str, out: Path, chat: bool | None) -> None:
    """Take the embedded model the whole way on this machine: plan, build, check, measure, ask.

    It is a small model of 5 million parameters that answers questions about synthetic radiographs. Nothing is
    fetched from anywhere.
    """
    if chat and console.json:
        raise click.UsageError("--chat is for people; leave --json out")
    from edgekit.demo import STEPS, DemoBundle, Shown, demo, document
    from edgekit.phantom.embedded import NOTICE
    from edgekit.recipe import recipe

    steps = []
    with console.progress() if console.json else nullcontext(silent) as progress, _ending_its_line(console):
        for name, step in zip(STEPS, demo(recipe(recipe_name), out, progress), strict=True):
            steps.append(step)
            show_step(console, name, step)
    console.document(document(steps))
    _, built, *_, shown = steps
    assert isinstance(built, DemoBundle) and isinstance(shown, Shown), "the demo's order"
    show_next(console, built.bundle, shown.image)
    console.print(f"\n{click.wrap_text(NOTICE, 80)}")
    if chat or (chat is None and not console.json and _is_wanted()):
        _chat(console, Path(built.bundle), Path(shown.image))


@contextmanager
def _ending_its_line(console: Console) -> Iterator[None]:
    """An error, or Ctrl-C, in the middle of a step: what is said of it begins a line of its own."""
    try:
        yield
    except BaseException:
        console.print()
        raise


def _is_wanted() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return input("\nChat about this phantom? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        click.echo()
        return False


def _chat(console: Console, bundle: Path, image: Path) -> None:
    from edgekit.cli.chat import Chat
    from edgekit.inputs.images import load_image
    from edgekit.runtime import SamplingParams
    from edgekit.runtime.model import Model

    with Model.open(bundle, slots=1) as model:
        Chat(console, model, SamplingParams(), (load_image(image),)).go_on()
