"""``edgekit demo``: the whole way in one command, and what came of every step."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.progress import silent
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.demo import Checked, Made, Planned, Shown
    from edgekit.profile import Profile


@click.command("demo")
@click.option("--recipe", "recipe_name", default="q4", show_default=True, metavar="R", help="fp16, q8, q4 or a TOML.")
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
    from edgekit.demo import Checked, Made, Planned, Shown, demo
    from edgekit.phantom.embedded import NOTICE
    from edgekit.profile import Profile
    from edgekit.recipe import recipe

    found: dict[str, object] = {}
    bundle = image = ""
    with console.progress() if console.json else nullcontext(silent) as progress:
        _begin(console, "Plan")
        for step in demo(recipe(recipe_name), out, progress):
            match step:
                case Planned():
                    found["plan"] = step
                    _show_plan(console, step)
                    _begin(console, "Build")
                case Made():
                    found["build"], bundle = step, step.bundle
                    _show_made(console, step)
                    _begin(console, "Check")
                case Checked():
                    found["check"] = step
                    _show_checked(console, step)
                    _begin(console, "Measure")
                case Profile():
                    found["profile"] = step
                    _show_profile(console, step)
                    _begin(console, "Ask")
                case Shown():
                    found["ask"], image = step, step.image
                    _show_answers(console, step)
    console.document({**found, "notice": NOTICE})
    _show_next(console, bundle, image)
    console.print(f"\n{NOTICE}")
    if chat or (chat is None and not console.json and _is_wanted()):
        _chat(console, Path(bundle), Path(image))


def _begin(console: Console, step: str) -> None:
    """A step's heading, before it runs; what comes of it goes on in the same line."""
    console.heading(f"{step:<8}", end=" ")


def _show_plan(console: Console, step: Planned) -> None:
    console.print(f"{step.source}, {step.parameters / 1e6:.2f} million parameters\n")
    parts = next(iter(step.weights.values()))
    rows = [(part, *(format_bytes(weights[part]) for weights in step.weights.values())) for part in parts]
    rows.append(("all", *(format_bytes(sum(weights.values())) for weights in step.weights.values())))
    console.table(("weights of", *step.weights), rows, right=tuple(step.weights))
    console.print()


def _show_made(console: Console, step: Made) -> None:
    how = "sealed, compiled for this processor and verified" if step.compiled else "sealed and verified"
    console.print(f"{step.recipe} for {step.target}: {format_bytes(step.bytes)} in {step.files} files, {how}", end="")
    console.print(f" in {step.seconds:.1f} s")


def _show_checked(console: Console, step: Checked) -> None:
    forms = ", ".join(f"{form} {step.right[form]}/{asked}" for form, asked in step.asked.items())
    right, asked = sum(step.right.values()), sum(step.asked.values())
    console.print(f"{right} of {asked} questions right in {step.seconds:.1f} s: {forms}")


def _show_profile(console: Console, step: Profile) -> None:
    console.print("in a process of its own\n")
    rows = [
        (name, format_bytes(memory.own_bytes), format_bytes(memory.mapped_bytes), format_bytes(memory.resident_bytes))
        for name, memory in (
            ("Python and libraries", step.before),
            ("with the model loaded", step.loaded),
            ("at its peak", step.peak),
        )
    ]
    console.table(("memory", "own", "mapped", "resident"), rows, right=("own", "mapped", "resident"))
    console.print()
    console.fields(
        [
            ("load", f"{1000 * step.load_s:.0f} ms"),
            ("first token", f"{step.first_token_ms:.0f} ms, picture and prompt read"),
            ("speed", f"{step.tokens_per_s:.0f} tokens/s"),
        ]
    )
    console.print()


def _show_answers(console: Console, step: Shown) -> None:
    console.print(f"about {step.image}\n")
    rows = [(one.question, one.answer, one.right_answer, "✓" if one.right else "✗") for one in step.questions]
    console.table(("question", "answer", "right answer", ""), rows)


def _show_next(console: Console, bundle: str, image: str) -> None:
    console.heading("\nNext")
    place, picture = shlex.quote(bundle), shlex.quote(image)
    console.fields(
        [
            ("chat", f"edgekit ask {place} --image {picture} --chat"),
            ("one answer", f'edgekit ask {place} "Is the heart enlarged?" --image {picture}'),
            ("a model of yours", "edgekit build CHECKPOINT --target cpu"),
        ]
    )


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
