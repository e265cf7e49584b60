"""``edgekit check``: a bundle's golden answers, given again on this machine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.common import common
from edgekit.cli.verify import document as verified_document
from edgekit.cli.verify import verify, warn_unverified
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.check import Checked, CheckedComponent
    from edgekit.check.limits import Limit


@click.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--processor", is_flag=True, help="Run its graphs on this machine's processor, whatever they are for.")
@click.option("--no-verify", is_flag=True, help="Don't compare every file with its hash first.")
@click.option("--force", is_flag=True, help="Don't end with an error where the answers fall short.")
@common
def command(console: Console, bundle: Path, processor: bool, no_verify: bool, force: bool) -> None:
    """Compare every file of BUNDLE with its hash, let this machine answer its golden questions, and hold the answers
    against the unquantized model's.

    The limits are those of the bundle's recipe. Where it falls short, the worst component is named.
    """
    from edgekit.bundle import open_bundle
    from edgekit.check import check, require_answers
    from edgekit.check.verdict import check_here
    from edgekit.engines.open import engine_here
    from edgekit.profile.profile import device_here

    opened = open_bundle(bundle)
    verified = None
    if no_verify:
        warn_unverified(console)
    else:
        verified = verify(console, opened)
    with console.progress() as progress:
        if processor:
            with closing(engine_here(opened)) as engine:
                checked = check(opened, engine, progress)
        else:
            checked = check_here(opened, progress)
    target = opened.manifest.target
    here = device_here(replace(target, engine="onnxruntime") if checked.stood_in else target)
    console.document(document(checked) | {"device": here, "verified": verified_document(verified)})
    _show(console, checked)
    if force and not checked.passed:
        console.note(f"Forced: {checked.shortfall}")
        return
    require_answers(checked)


def document(checked: Checked) -> dict[str, Any]:
    """A check as JSON has it; the first four keys are fixed, scripts read them."""
    from edgekit import config

    return {
        "passed": checked.passed,
        "worst": checked.worst,
        "very_tokens": checked.very_tokens,
        "figures": config.dump(checked.figures),
        "limits": [_limit(limit) for limit in checked.limits],
        "components": [
            {**config.dump(one.measured), "passed": one.passed, "limits": [_limit(limit) for limit in one.limits]}
            for one in checked.components
        ],
        "reference": checked.reference,
        "engine": checked.engine,
        "stood_in": checked.stood_in,
        "advice": checked.advice,
    }


def line(checked: Checked) -> str:
    """A check in one line."""
    figures = checked.figures
    return (
        f"Checked: top-1 {100 * figures.top1_decided:.1f} % of {figures.decided} decided positions, "
        f"KL {figures.kl:.2g}, perplexity x{figures.perplexity_ratio:.3f} beside the {_reference(checked)}"
    )


def _reference(checked: Checked) -> str:
    return "unquantized model" if checked.reference == "unquantized" else "checkpoint as it is stored"


def _limit(limit: Limit) -> dict[str, Any]:
    from edgekit import config

    return {**config.dump(limit), "passed": limit.passed}


def _show(console: Console, checked: Checked) -> None:
    figures = checked.figures
    console.heading(f"{figures.sequences} answers, {figures.positions} positions, beside the {_reference(checked)}")
    rows = [_row(limit) for limit in checked.limits]
    rows += [
        ("", "top-1 everywhere", f"{figures.top1:.3g}", ""),
        ("", "first tokens", f"{figures.first_token:.3g}", ""),
    ]
    console.table(("", "whole answers", "measured", "limit"), rows, right=("measured",))
    console.print()
    parts = [cells for one in checked.components for cells in _component(one)]
    console.table(("", "component alone", "", "measured", "limit"), parts, right=("measured",))
    console.print()
    same = f"{figures.same_tokens} of {figures.sequences} answers are the very tokens"
    console.print(f"{same} that {checked.engine} gave where the bundle was built.")
    if checked.stood_in:
        console.print("This machine's processor ran the graphs: the engines of a GPU were not asked.")


def _row(limit: Limit) -> tuple[str, str, str, str]:
    sign = "≥" if limit.least else "≤"
    return "✓" if limit.passed else "✗", limit.name, f"{limit.measured:.3g}", f"{sign} {limit.limit:.3g}"


def _component(one: CheckedComponent) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for at, limit in enumerate(one.limits):
        mark, name, measured, bound = _row(limit)
        rows.append((mark, one.name if at == 0 else "", name, measured, bound))
    if one.measured.fault:
        rows.append(("✗", "", one.measured.fault, "", ""))
    return rows
