"""Fitted tables: as TOML, or what they change in plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.profile.fitted import FittedTables


def show_fitted(console: Console, fitted: FittedTables) -> None:
    """Show the tables themselves, or where they were written, what was planned, what is planned now, and what was
    measured."""
    if not fitted.out:
        console.print(fitted.text)  # alone on stdout, so that it can be sent to a file
        return
    rows = []
    for profile, planned in fitted.planned_now():
        name = f"{profile.bundle.model} {profile.bundle.recipe}"
        for kind, before, now, measured in (
            ("static", profile.planned.static_bytes, planned.static_bytes, profile.static_bytes),
            ("dynamic", profile.planned.dynamic_bytes, planned.dynamic_bytes, profile.dynamic_bytes),
        ):
            shares = [f"{format_bytes(size)} ({100 * (size / measured - 1):+.1f} %)" for size in (before, now)]
            rows.append((name, kind, *shares, format_bytes(measured)))
    columns = ("", "", "planned", "planned now", "measured")
    console.table(columns, rows, right=columns[2:])
