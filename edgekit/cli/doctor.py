"""``edgekit doctor``: what this machine has and lacks for a target, with the commands that mend it."""

from __future__ import annotations

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.doctor import Diagnosis, Host, Report, examine
from edgekit.target import target

_MARKS = {"good": "✓", "bad": "✗", "unknown": "?"}
_HEADINGS = {"bad": "To mend", "unknown": "To find out", "good": "If you want"}


@click.command("doctor")
@click.option("--target", "target_name", metavar="T", help="A target's name or TOML.  [default: what this machine is]")
@common
def command(console: Console, target_name: str | None) -> None:
    """Check this machine: driver, libraries, permissions, room, clock, power, packages.

    Nothing is changed and nothing needs root. Exit code 1 where something is bad for the target.
    """
    report = examine(Host(), target(target_name) if target_name else None)
    console.document(report.document())
    _show(console, report)
    if not report.healthy:
        raise click.exceptions.Exit(1)


def _show(console: Console, report: Report) -> None:
    like = "" if report.target == report.detected else f"; this machine is '{report.detected}'"
    console.heading(f"For target '{report.target}'{like}")
    rows: list[tuple[str, str, str]] = []
    for diagnosis in report.diagnoses:
        again = bool(rows) and rows[-1][1] == diagnosis.subject
        rows.append((_MARKS[diagnosis.state], "" if again else diagnosis.subject, diagnosis.what))
    console.table(("", "check", "found"), rows)
    for state in ("bad", "unknown", "good"):
        _mends(console, _HEADINGS[state], [diagnosis for diagnosis in report.of(state) if diagnosis.mend])
    counts = [f"{len(report.of(state))} {state}" for state in ("bad", "unknown", "good")]
    console.print(f"\n{', '.join(counts)}.")


def _mends(console: Console, title: str, diagnoses: list[Diagnosis]) -> None:
    """Commands stand on lines of their own, unbroken, so that they can be copied; one that mends several, once."""
    subjects: dict[str, list[str]] = {}
    for diagnosis in diagnoses:
        subjects.setdefault(diagnosis.mend, []).append(diagnosis.subject)
    if subjects:
        console.heading(f"\n{title}")
    for mend, names in subjects.items():
        console.print(f"  {', '.join(dict.fromkeys(names))}: {mend}")
