"""What came of every step of the demo; a step ends with the heading of the one that runs next."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.console import Console
from edgekit.errors import MissingExtra
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.demo import DemoBundle, DemoScores, Planned, Shown, Step
    from edgekit.profile.glance import Glance


def show_step(console: Console, name: str, step: Step) -> None:
    """Show what came of the step of that name, and the heading of the next."""
    _SHOW[name](console, step)


def _begin(console: Console, step: str) -> None:
    """A step's heading, before it runs; what comes of it goes on in the same line."""
    console.heading(f"{step:<8}", end=" ")


def _show_plan(console: Console, step: Planned) -> None:
    _begin(console, "Plan")
    console.print(f"{step.source}, {step.parameters / 1e6:.2f} million parameters\n")
    parts = next(iter(step.weights.values()))
    rows = [(part, *(format_bytes(weights[part]) for weights in step.weights.values())) for part in parts]
    rows.append(("all", *(format_bytes(sum(weights.values())) for weights in step.weights.values())))
    console.table(("weights of", *step.weights), rows, right=tuple(step.weights))
    console.print()
    _begin(console, "Build")


def _show_bundle(console: Console, step: DemoBundle) -> None:
    done = "sealed, compiled, verified" if step.compiled else "sealed, verified"
    console.print(f"{step.recipe} for {step.target} in {step.seconds:.1f} s: {format_bytes(step.bytes)}, {done}")
    _begin(console, "Check")


def _show_scores(console: Console, step: DemoScores) -> None:
    forms = ", ".join(f"{form} {share.right}/{share.total}" for form, share in step.forms.items())
    console.print(f"{step.all.right} of {step.all.total} right in {step.seconds:.1f} s: {forms}")
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
    rows = [(answer.question, answer.answer, answer.expected, "✓" if answer.right else "✗") for answer in step.answers]
    console.table(("question", "answer", "right answer", ""), rows)


_SHOW: dict[str, Callable[[Console, Any], None]] = {
    "plan": _show_plan,
    "build": _show_bundle,
    "check": _show_scores,
    "profile": _show_profile,
    "ask": _show_answers,
}


def show_page(console: Console, url: str, out: Path, *, is_opened: bool) -> None:
    """Show where the page is, once it is there."""
    console.print()
    _begin(console, "Serve")
    console.print(url)
    where = "opens in your browser" if is_opened else "is for a browser on this machine"
    console.print(f"The page {where}, with phantoms to try, a click each.")
    console.print(f"What is kept lies in {out / 'service'}. Ctrl-C ends it.")


def show_without_page(console: Console, missing: MissingExtra) -> None:
    """Show what the page would need."""
    console.print(f"\n{missing.message}. {missing.hint}")


def show_end(console: Console, out: Path) -> None:
    """Show that the service has ended."""
    console.print(f"\nThe service has ended. Everything that the demo made lies in {out}.")


def show_next(console: Console, bundle: str, image: str) -> None:
    """List the commands that go on from here."""
    ask, picture = f"edgekit ask {shlex.quote(bundle)}", f"--image {shlex.quote(image)}"
    console.heading("\nNext")
    console.print(f"  {ask} --chat {picture}")
    console.print(f'  {ask} "What do you see?" \\\n    {picture}')
    console.print("  edgekit build CHECKPOINT --target cpu")
