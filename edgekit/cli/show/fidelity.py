"""A fidelity report as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.check.fidelity import Fidelity
    from edgekit.quantize.linears import Linear

_WORST = 8
LARGEST_FLOAT16 = 65504


def show_fidelity(console: Console, report: Fidelity) -> None:
    """Show parts, the matrices that lost most, and what answers kept."""
    from edgekit.checkpoint.checkpoint import component

    console.heading(f"Quantized by {report.recipe} ({report.method})\n")
    measured = {figures.name: figures for figures in report.components}
    rows = []
    for part in report.parts:
        own = [linear for linear in report.linears if component(linear.name) == part.name]
        answer = measured.get("decoder" if part.name == "lm_head" else part.name)  # type: ignore[call-overload]
        loss = f"{answer.loss:.2g}" if answer and part.name != "lm_head" else ""
        spread = f"{_median(own):.2g}", f"{max(linear.error for linear in own):.2g}"
        rows.append((part.name, format_bytes(part.bytes), f"{part.bits_per_weight:.2f}", *spread, loss))
    columns = ("", "bytes", "bits per weight", "error, median", "worst", "of the output")
    console.table(columns, rows, right=columns[1:])
    worst = sorted(report.linears, key=lambda linear: -linear.error)[:_WORST]
    console.print()
    names = ("matrices that lost most", "bits", "group", "error", "of its")
    shown = [
        (linear.name, str(linear.bits), str(linear.group or "–"), f"{linear.error:.2g}", linear.of) for linear in worst
    ]
    console.table(names, shown, right=names[1:4])
    if report.tower:
        name, largest = max(report.tower.largest.items(), key=lambda pair: pair[1])
        share = 100 * largest / LARGEST_FLOAT16
        console.print(
            f"\nThe tower's largest activation is {largest:.3g}, {share:.2g} % of float16's range, read by\n{name}."
        )
        if report.tower.cosine is not None:
            taken = "taken" if report.tower.static else "not taken"
            console.print(f"Fixed ranges kept a cosine of {report.tower.cosine:.4f} at least, and were {taken}.")
    if report.cache:
        console.print(
            f"\nKeys and values in int8 take {report.cache.kl:.2g} nats by themselves (at worst "
            f"{report.cache.worst_kl:.2g}), and\n{report.cache.same} of {report.cache.positions} first choices stay."
        )
    kept = report.figures
    console.print(
        f"\nAt the build, over {kept.positions} tokens: first choices {100 * kept.top1:.1f} % the unquantized"
        f"\nmodel's, {100 * kept.top1_decided:.1f} % where it was decided; KL {kept.kl:.2g} nats; perplexity "
        f"{kept.perplexity_ratio:.3f} times."
    )


def _median(linears: Sequence[Linear]) -> float:
    errors = sorted(linear.error for linear in linears)
    return errors[len(errors) // 2]
