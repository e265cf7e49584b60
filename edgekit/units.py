"""Bytes as people write them: "6 GiB" to 6442450944 and back."""

from __future__ import annotations

import re

from edgekit.errors import ConfigError

KIB, MIB, GIB = 1024, 1024**2, 1024**3
_UNITS = {
    "B": 1,
    "KIB": KIB,
    "MIB": MIB,
    "GIB": GIB,
    "TIB": 1024**4,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B)\s*", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Read "6 GiB", "750 MB" or "12 B" as a number of bytes; :class:`ConfigError` on anything else."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ConfigError(f"'{text}' is not a size", 'Write a number and a unit, as in "6 GiB" or "750 MB".')
    return round(float(match[1]) * _UNITS[match[2].upper()])


def rounded(value: float) -> str:
    """Return a number in three figures, or as a whole one: 0.0412, 41.2, 412, 4120."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def format_bytes(count: float) -> str:
    """Write a number of bytes with a binary unit and three figures: 4111804928 → "3.83 GiB"."""
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            break
        size, unit = size / 1024, larger
    if unit == "B":
        return f"{size:.0f} B"
    return f"{size:.2f} {unit}" if size < 10 else f"{size:.1f} {unit}" if size < 100 else f"{size:.0f} {unit}"
