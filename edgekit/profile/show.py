"""A row of a budget in words."""

from __future__ import annotations

from edgekit.profile.judge import Row
from edgekit.units import format_bytes, rounded


def quantity(value: float, unit: str) -> str:
    """Write a number with its unit: "1.30 GiB", "840 ms", "12.3 tokens/s"."""
    if unit == "bytes":
        return format_bytes(value)
    return f"{rounded(value)} {unit}"


def row_text(row: Row) -> str:
    """Write a row as in: static memory 5.10 GiB, at most 4.81 GiB."""
    limit = "none" if row.limit is None else quantity(row.limit, row.unit)
    word = "at least" if row.least else "at most"
    return f"{row.name} {quantity(row.measured, row.unit)}, {word} {limit}"
