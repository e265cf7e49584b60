"""What a build made, for people: the parts' precision and bytes, how the bundle answers, and what is still to do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgekit.cli.show.check import check_line
from edgekit.cli.show.plans import purpose, show_answers, show_plans, title
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.pipeline import Built
    from edgekit.pipeline.precision import Decided


def show_built(console: Console, built: Built) -> None:
    """Show everything that came of a build, the next step last."""
    bundle, manifest = built.bundle, built.bundle.manifest
    _show_choice(console, built.decided)
    columns = ("component", "precision", "in memory")
    weights = [part for part in built.plan.parts if part.basis == "exact"]
    console.table(columns, [(part.name, part.form, format_bytes(part.bytes)) for part in weights], right=columns[2:])
    console.print(f"\n{bundle.path}: {format_bytes(bundle.bytes)} on disk, for {manifest.target.title}")
    console.print(check_line(built.checked))
    if built.prepared.needs_plans:
        _show_engines(console, built)
    if built.prepared.answers:
        console.print(f"Ask it: edgekit ask {shlex.quote(str(bundle.path))} QUESTION --image FILE")
    if notice := manifest.spec.intended_use:
        console.print(f"\n{notice}")


def _show_engines(console: Console, built: Built) -> None:
    """What became of the engines, and what is still to do."""
    prepared = built.prepared
    if form := prepared.compiled:
        console.print()
        show_plans(console, prepared, form)
        console.print(f"\n{title(prepared)}'s engines are built, for {purpose(prepared, form)}.")
        show_answers(console, prepared)
        return
    if built.hindrance:
        console.print(f"{title(prepared)}'s engines are not built: {built.hindrance}")
    console.print(built.next_step)


def _show_choice(console: Console, decided: Decided) -> None:
    """What each part loses in the recipe's precision, and which were widened."""
    if decided.sensitivity is None or decided.choice is None:
        return
    losses = sorted(decided.sensitivity.losses.items(), key=lambda pair: -pair[1])
    rows = [(name, f"{loss:.2g}", "wider" if name in decided.choice.wider else "") for name, loss in losses]
    console.table(("part", "nats lost", ""), rows, right=("nats lost",))
    console.print(f"Weights take {format_bytes(decided.choice.bytes)}.\n")
