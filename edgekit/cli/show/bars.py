"""Bars of a plan's memory, to scale, in eighths of a letter; plain where the terminal knows no others."""

from __future__ import annotations

import sys

_WIDTH = 26
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(start: int, size: int, whole: int, width: int = _WIDTH) -> str:
    """Draw ``size`` bytes from ``start`` on to scale; something is seen of everything that is there."""
    first, last = (round(8 * width * at / max(1, whole)) for at in (start, start + size))
    if size and first == last:
        first, last = min(first, 8 * width - 1), min(first, 8 * width - 1) + 1
    if not _can_draw():
        return " " * (first // 8) + "#" * max(-(-last // 8) - first // 8, 0)
    blank, filled = divmod(first, 8)[0], last - 8 * (first // 8)
    return " " * blank + "█" * (filled // 8) + _EIGHTHS[filled % 8].strip()


def _can_draw() -> bool:
    try:
        "█▏".encode(sys.stdout.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True
