"""A report about engines as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes, rounded

if TYPE_CHECKING:
    from edgekit.report.runs import EnginesReport, Run, Speed

_PLANS = ("", "engine", "of", "plans", "decoder, B/parameter", "built in", "peak", "top-1 on the GPU")
_SPEED = ("", "engine", "first token", "tokens/s", "beside fp16", "of bandwidth", "memory", "highest peak")


def show_engines(console: Console, report: EnginesReport) -> None:
    """Show for each device what plans are, then what was measured, and what is not as it should be."""
    from edgekit.report.runs import slow

    for device in sorted({run.device for run in report.runs}):
        runs = [run for run in report.runs if run.device == device]
        console.heading(f"{device}\n")
        if rows := [_plans(run) for run in runs if run.plans]:
            console.table(_PLANS, rows, right=_PLANS[3:])
            console.print()
        if rows := [_speed(run, speed) for run in runs if (speed := run.speed)]:
            console.table(_SPEED, rows, right=_SPEED[2:])
            console.print()
    for run in report.runs:
        unused = f"not used where this was told: {run.misfit}" if run.misfit else ""
        short = run.check.shortfall if run.check else ""
        for sentence in filter(None, (unused, *run.doubts, short)):
            console.print(f"{run.bundle}, on {run.device}: {sentence}")
    for run, sentence in slow(report.runs):
        console.print(f"{run.bundle}, on {run.device}: {sentence}")


def _named(run: Run) -> tuple[str, str]:
    return f"{run.model} {run.recipe}", run.engine


def _plans(run: Run) -> tuple[str, ...]:
    plans = run.plans.values()
    top1 = "–" if run.check is None else f"{100 * run.check.figures.top1_decided:.1f} %"
    return (
        *_named(run),
        run.target,
        format_bytes(sum(plan.bytes for plan in plans)),
        "–" if run.width is None else f"{run.width:.3f}",
        f"{sum(plan.seconds for plan in plans):.0f} s",
        format_bytes(max(plan.peak_bytes for plan in plans)),
        top1 if run.check is None or not run.check.shortfall else f"{top1} ✗",
    )


def _speed(run: Run, speed: Speed) -> tuple[str, ...]:
    first, last = speed.rows[0], speed.rows[-1]
    together = f" ({last.rows}: {rounded(last.tokens_per_s.median)})" if last.rows > first.rows else ""
    return (
        *_named(run),
        f"{speed.times.first_token_ms.median:.0f} ms",
        f"{rounded(first.tokens_per_s.median)}{together}",
        "–" if run.beside_fp16 is None else f"{run.beside_fp16:.2f} times",
        f"{100 * speed.shares[0]:.0f} %",
        format_bytes(speed.memory.static_bytes),
        format_bytes(speed.memory.dynamic_bytes),
    )
