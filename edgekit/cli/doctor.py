"""``edgekit doctor``: what this machine has and lacks for a target, with the commands that mend it."""

from __future__ import annotations

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.doctor import Finding, Host, Report, examine
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
    for finding in report.findings:
        again = bool(rows) and rows[-1][1] == finding.subject
        rows.append((_MARKS[finding.state], "" if again else finding.subject, finding.what))
    console.table(("", "check", "found"), rows)
    for state in ("bad", "unknown", "good"):
        _mends(console, _HEADINGS[state], [finding for finding in report.of(state) if finding.mend])
    counts = [f"{len(report.of(state))} {state}" for state in ("bad", "unknown", "good")]
    console.print(f"\n{', '.join(counts)}.")


def _mends(console: Console, title: str, findings: list[Finding]) -> None:
    """Commands stand on lines of their own, unbroken, so that they can be copied; one that mends several, once."""
    subjects: dict[str, list[str]] = {}
    for finding in findings:
        subjects.setdefault(finding.mend, []).append(finding.subject)
    if subjects:
        console.heading(f"\n{title}")
    for mend, names in subjects.items():
        console.print(f"  {', '.join(dict.fromkeys(names))}: {mend}")
