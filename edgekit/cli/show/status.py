"""How an installation fares, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.cli.show.install import SHORT
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.check.nightly import Nightly
    from edgekit.deploy.certificate import Shown
    from edgekit.deploy.journal import Operation
    from edgekit.deploy.status import Status


def show_status(console: Console, status: Status) -> None:
    """Show how it fares; what is wrong on stderr."""
    stands = status.standing
    for problem in stands.problems:
        console.note(f"Warning: {problem}")
    if not stands.running:
        console.print("Nothing is installed.")
    else:
        console.fields(_fields(status))
    if status.nightly is not None:
        show_failed(console, status.nightly)
    if status.certificate is not None and status.certificate.warning:
        console.note(f"Warning: {status.certificate.warning}")
    for reason in status.forced:
        console.note(f"FORCED: {reason}")
    if status.interrupted is not None:
        console.note(f"Interrupted, or going on right now: {status.interrupted.name}. The next command ends it.")
    if status.rolled_back is not None:
        _show_undone(console, status.rolled_back)
    for line in status.last_lines:
        console.print(f"  {line}")


def _fields(status: Status) -> list[tuple[str, str]]:
    stands, trial = status.standing, status.standing.trial
    fields = [("release", f"{stands.running[:SHORT]}, {stands.state}")]
    if trial is not None:
        crashed = f", crashes: {trial.crashes}" if trial.crashes else ""
        fields.append(("trial", f"since {trial.began}, {trial.healthy} healthy minutes in a row{crashed}"))
    service = status.service.active if status.service else "unknown"
    fields.append(("service", f"{service}, it answers" if not status.unhealthy else f"{service}: {status.unhealthy}"))
    if status.measured:
        static, dynamic = (format_bytes(int(status.measured[name])) for name in ("static_bytes", "dynamic_bytes"))
        within = all(row.get("passed") for row in status.measured["budget"])
        fields.append(("memory", f"{static} static, {dynamic} dynamic: {'within' if within else 'OVER'} the budget"))
    if status.certificate is not None:
        fields += _certificate(status.certificate)
    fields += [("nightly check", "not yet")] if status.nightly is None else nightly_fields(status.nightly)
    return fields


def _certificate(shown: Shown) -> list[tuple[str, str]]:
    if shown.problem:
        return [("certificate", shown.problem)]
    until = (
        f"until {shown.ends[:10]}" if shown.given else f"renews itself, its authority ends in {shown.days_left} days"
    )
    left = f", {shown.days_left} days left" if shown.given else ""
    whose = "SHA-256" if shown.given else "authority's SHA-256"
    return [("certificate", f"{', '.join(shown.names)}; {until}{left}"), (whose, shown.fingerprint)]


def nightly_fields(nightly: Nightly) -> list[tuple[str, str]]:
    """Say how each part of the nightly check fell out, and when; why, where it was not done."""
    fields = []
    for name, part in nightly.parts.items():
        why = "".join(f": {finding.what}" for finding in part.findings[:1]) if part.outcome == "not done" else ""
        outcome = part.outcome.upper() if part.outcome == "failed" else part.outcome
        fields.append((f"nightly, {name}", f"{outcome} at {part.at}{why}"))
    if nightly.downtime_s is not None:
        fields.append(("nightly, stopped", f"nobody was answered for {nightly.downtime_s:.1f} s"))
    return fields


def show_failed(console: Console, nightly: Nightly) -> None:
    """Say loudly what the nightly check found, and what to do."""
    for part in nightly.parts.values():
        for finding in part.findings if part.outcome == "failed" else ():
            console.note(f"NIGHTLY CHECK FAILED: {finding.what}")
            if finding.mend:
                console.note(f"  {finding.mend}")


def _show_undone(console: Console, operation: Operation) -> None:
    from edgekit.deploy.status import reached

    release, far = str(operation.about.get("release", ""))[:SHORT], reached(operation)
    console.print(f"Went back at {operation.ended}: {operation.name} of {release}{f', {far}' if far else ''}.")
    console.print(f"  Why: {operation.reason}")
    if operation.is_bad:
        console.print("  It is remembered as bad: `edgekit install` refuses it without --retry.")
