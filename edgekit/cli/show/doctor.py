"""A doctor's report: what a machine has and lacks, with a mark each, and the commands that mend it."""

from __future__ import annotations

from edgekit.console import Console
from edgekit.doctor import Diagnosis, Report

_MARKS = {"good": "✓", "bad": "✗", "unknown": "?"}
_HEADINGS = {"bad": "To mend", "unknown": "To find out", "good": "If you want"}


def show_report(console: Console, report: Report) -> None:
    """Show a table of what was found, then the commands that mend it, the worst first."""
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
