"""``edgekit demo``: the whole way in one command, what came of every step, and at a terminal its page."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.demo import show_end, show_next, show_page, show_step, show_without_page
from edgekit.console import Console
from edgekit.errors import MissingExtra
from edgekit.progress import silent


@click.command("demo")
@click.option(
    "--recipe", "recipe_name", default="q4", show_default=True, metavar="R", help="fp32, fp16, q8, q4 or a TOML."
)
@click.option(
    "--out", default="build/out/demo", show_default=True, type=click.Path(path_type=Path), help="All is written here."
)
@click.option("--chat/--no-chat", default=None, help="Go on with a chat, or not at all.  [default: with the page]")
@common
def command(console: Console, recipe_name: str, out: Path, chat: bool | None) -> None:
    """Take the embedded model the whole way on this machine: plan, build, check, measure, ask; at a terminal, serve.

    It is a small model of 5 million parameters that answers questions about synthetic radiographs. Nothing is
    fetched from anywhere. The page is for this machine alone, until Ctrl-C.
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
    if chat:
        _chat(console, Path(built.bundle), Path(shown.image))
    elif chat is None and not console.json and sys.stdin.isatty() and sys.stdout.isatty():
        _serve(console, Path(built.bundle), out)


@contextmanager
def _ending_its_line(console: Console) -> Iterator[None]:
    """An error, or Ctrl-C, in the middle of a step: what is said of it begins a line of its own."""
    try:
        yield
    except BaseException:
        console.print()
        raise


def _chat(console: Console, bundle: Path, image: Path) -> None:
    from edgekit.cli.chat import Chat
    from edgekit.inputs.images import load_image
    from edgekit.runtime import SamplingParams
    from edgekit.runtime.model import Model

    with Model.open(bundle, slots=1) as model:
        Chat(console, model, SamplingParams(), (load_image(image),)).go_on()


def _serve(console: Console, bundle: Path, out: Path) -> None:
    """The page until Ctrl-C; without the extra that it needs, a word on how to get that."""
    try:
        from edgekit.demo.page import serve_page
        from edgekit.serve import logs
        from edgekit.serve.server import Announcement
    except (ModuleNotFoundError, MissingExtra):
        show_without_page(console, MissingExtra("The page", "serve"))
        return
    from edgekit.demo.browser import open_page

    logs.show(logging.DEBUG if console.debug else logging.INFO if console.verbose else logging.WARNING)

    def announce(announcement: Announcement) -> None:
        show_page(console, announcement.url, out, is_opened=open_page(announcement.url, os.environ))

    serve_page(bundle, out, announce)
    show_end(console, out)
