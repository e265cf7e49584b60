"""What the long tests showed, as a table in Markdown, ready for docs/figures.md."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
INSTRUCTIONS = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX512 without VNNI",
    "avx2": "AVX2 alone",
    "i8mm": "NEON with i8mm",
    "asimddp": "NEON with dot products",
    "asimd": "NEON alone",
}
"""What decides how fast 8-bit numbers are multiplied, the best first, by the flag of /proc/cpuinfo that says so."""


@dataclass(frozen=True)
class Result:
    """A test, by its node's name; the seconds of it and of what was set up for it; and the figures that it noted."""

    name: str
    seconds: float
    outcome: str
    figures: tuple[tuple[str, object], ...] = ()


def gathered(stats: Mapping[str, Sequence[Any]]) -> list[Result]:
    """Gather the results from the reports of pytest's phases, which it sorts by their outcome; in order of names."""
    reports = [report for group in stats.values() for report in group if isinstance(report, pytest.TestReport)]
    names = sorted({report.nodeid for report in reports})
    return [_result(name, [report for report in reports if report.nodeid == name]) for name in names]


def _result(name: str, phases: Sequence[pytest.TestReport]) -> Result:
    outcomes = {phase.outcome for phase in phases}
    outcome: str = next(word for word in ("failed", "skipped", "passed") if word in outcomes)
    if outcome == "skipped":
        reasons = [phase.longrepr[2] for phase in phases if phase.skipped and isinstance(phase.longrepr, tuple)]
        outcome = ": ".join(["skipped", *(reason.removeprefix("Skipped: ") for reason in reasons)])
    figures = dict(pair for phase in phases for pair in phase.user_properties)
    return Result(name, sum(phase.duration for phase in phases), outcome, tuple(figures.items()))


def instructions(features: Iterable[str]) -> str:
    """Name the instructions that decide a processor's speed here."""
    present = set(features)
    return next((title for flag, title in INSTRUCTIONS.items() if flag in present), "no vector instructions known here")


def commit(root: Path = ROOT) -> str:
    """The commit that is tested, with a + where files differ from it; "no commit" outside a repository."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "no commit"


def table(results: Iterable[Result], day: str, commit: str, processor: str) -> str:
    """Write the results below a heading that says when, of what and on which processor."""
    lines = [f"## Long tests ({day}, {commit}; {processor})", "", "| test | seconds | result | |", "|---|---|---|---|"]
    for result in results:
        figures = ", ".join(f"{name} {value}" for name, value in result.figures)
        name = result.name.removeprefix("tests/").replace("|", "\\|")
        lines.append(f"| `{name}` | {result.seconds:,.1f} | {result.outcome} | {figures} |")
    return "\n".join(lines)
