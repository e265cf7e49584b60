"""``edgekit demo``: the whole way in one command, and what came of every step."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.progress import silent
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.demo import DemoBundle, DemoScores, Planned, Shown
    from edgekit.profile.glance import Glance


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
    from edgekit.demo import STEPS, demo
    from edgekit.phantom.embedded import NOTICE
    from edgekit.recipe import recipe

    found: dict[str, Any] = {}
    with console.progress() if console.json else nullcontext(silent) as progress, _ending_its_line(console):
        for name, step in zip(STEPS, demo(recipe(recipe_name), out, progress), strict=True):
            found[name] = step
            _SHOW[name](console, step)
    console.document({**found, "notice": NOTICE})
    bundle, image = found["build"].bundle, found["ask"].image
    _show_next(console, bundle, image)
    console.print(f"\n{click.wrap_text(NOTICE, 80)}")
    if chat or (chat is None and not console.json and _is_wanted()):
        _chat(console, Path(bundle), Path(image))


def _begin(console: Console, step: str) -> None:
    """A step's heading, before it runs; what comes of it goes on in the same line."""
    console.heading(f"{step:<8}", end=" ")


@contextmanager
def _ending_its_line(console: Console) -> Iterator[None]:
    """An error, or Ctrl-C, in the middle of a step: what is said of it begins a line of its own."""
    try:
        yield
    except BaseException:
        console.print()
        raise


def _show_plan(console: Console, step: Planned) -> None:
    _begin(console, "Plan")
    console.print(f"{step.source}, {step.parameters / 1e6:.2f} million parameters\n")
    parts = next(iter(step.weights.values()))
    rows = [(part, *(format_bytes(weights[part]) for weights in step.weights.values())) for part in parts]
    rows.append(("all", *(format_bytes(sum(weights.values())) for weights in step.weights.values())))
    console.table(("weights of", *step.weights), rows, right=tuple(step.weights))
    console.print()
    _begin(console, "Build")


def _show_made(console: Console, step: DemoBundle) -> None:
    how = "sealed, compiled, verified" if step.compiled else "sealed, verified"
    console.print(f"{step.recipe} for {step.target} in {step.seconds:.1f} s: {format_bytes(step.bytes)}, {how}")
    _begin(console, "Check")


def _show_checked(console: Console, step: DemoScores) -> None:
    forms = ", ".join(f"{form} {share.right}/{share.total}" for form, share in step.forms.items())
    right, total = (sum(getattr(share, of) for share in step.forms.values()) for of in ("right", "total"))
    console.print(f"{right} of {total} right in {step.seconds:.1f} s: {forms}")
    _begin(console, "Profile")


def _show_profile(console: Console, step: Glance) -> None:
    console.print("in a process of its own\n")
    rows = [
        (name, format_bytes(memory.own_bytes), format_bytes(memory.mapped_bytes), format_bytes(memory.resident_bytes))
        for name, memory in (
            ("Python and libraries", step.before),
            ("with the model loaded", step.loaded),
            ("at its peak", step.peak),
        )
    ]
    columns = ("memory", "own", "mapped files", "all")
    console.table(columns, rows, right=columns[1:])
    console.print("Mapped files are shared by processes, and dropped when memory is short.\n")
    console.fields(
        [
            ("load", f"{1000 * step.load_s:.0f} ms"),
            ("first token", f"{step.first_token_ms:.0f} ms, with the picture and the prompt read"),
            ("speed", f"{step.tokens_per_s:.0f} tokens/s"),
        ]
    )
    console.print()
    _begin(console, "Ask")


def _show_answers(console: Console, step: Shown) -> None:
    console.print(f"{step.image}: the patient's left is on its right\n")
    rows = [(one.question, one.answer, one.expected, "✓" if one.right else "✗") for one in step.answers]
    console.table(("question", "answer", "right answer", ""), rows)


_SHOW: dict[str, Callable[[Console, Any], None]] = {
    "plan": _show_plan,
    "build": _show_made,
    "check": _show_checked,
    "profile": _show_profile,
    "ask": _show_answers,
}


def _show_next(console: Console, bundle: str, image: str) -> None:
    ask, picture = f"edgekit ask {shlex.quote(bundle)}", f"--image {shlex.quote(image)}"
    console.heading("\nNext")
    console.print(f"  {ask} --chat {picture}")
    console.print(f'  {ask} "What do you see?" \\\n    {picture}')
    console.print("  edgekit build CHECKPOINT --target cpu")


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
