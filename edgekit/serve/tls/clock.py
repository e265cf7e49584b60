"""The time by the system's clock."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """Return the time by the system's clock, right or not."""
    return datetime.now(timezone.utc)
