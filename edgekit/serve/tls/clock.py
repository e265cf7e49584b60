"""The time, and the earliest that it can be: a device without a battery starts in 1970, or years late."""

from __future__ import annotations

from datetime import datetime, timezone

from edgekit import RELEASE_DATE

RELEASED = datetime.fromisoformat(RELEASE_DATE).replace(tzinfo=timezone.utc)
"""No right clock is before this. It is written down in the source, since nothing else keeps it: a file's date is that
of its installation, by the clock that is in doubt, and wheels carry fixed dates so that they can be built again."""


def now() -> datetime:
    """Return the time by the system's clock, right or not."""
    return datetime.now(timezone.utc)
