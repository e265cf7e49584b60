"""What the system tells: small files about a machine and its processes, its processors, and the time."""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from pathlib import Path


def read_text(path: Path) -> str:
    """Read a small file of the system's; "" where it is missing or can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def architecture(name: str = "") -> str:
    """Return the processor's architecture as targets call it, "x86_64" or "aarch64", whatever the system calls it
    ("AMD64", "arm64"); that of ``name``, or of this machine without."""
    name = name or platform.machine()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name.lower(), name)


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def utc_now() -> str:
    """Say the time by ISO 8601, to the second: "2026-11-01T12:00:00Z"."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def field_of(text: str, name: str) -> str:
    """Find what stands behind "name :" in a file such as /proc/cpuinfo; "" where nothing does."""
    match = re.search(rf"^{name}\s*:[ \t]*(.*)$", text, re.MULTILINE)
    return match[1].strip() if match else ""
