"""Small files in which Linux tells about a machine and its processes."""

from __future__ import annotations

import re
from pathlib import Path


def read_text(path: Path) -> str:
    """A small file of the system's; "" where it is missing or can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def field_of(text: str, name: str) -> str:
    """What stands behind "name :" in a file such as /proc/cpuinfo; "" where nothing does."""
    match = re.search(rf"^{name}\s*:[ \t]*(.*)$", text, re.MULTILINE)
    return match[1].strip() if match else ""
