"""The image that another one builds on, as somebody names it: by a digest, which is one image for ever.

Format: a reference of the OCI distribution specification, NAME[:TAG][@sha256:DIGEST]. Where there is a digest, the tag
is for people, and no engine looks at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.errors import ConfigError

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._-]*)*"
_REFERENCE = re.compile(
    rf"(?P<name>{_NAME})(?::[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}})?(?:@sha256:(?P<sha256>[0-9a-f]{{64}}))?"
)
_HOW = "docs/containers.md says how its digest is read."


@dataclass(frozen=True)
class Base:
    """An image to build on: its ``reference`` as it was given, and its digest (SHA-256, hex), "" where it has none."""

    reference: str
    sha256: str

    @property
    def pinned(self) -> bool:
        """Whether the reference is one image for ever."""
        return bool(self.sha256)


def read_base(reference: str, *, unpinned: bool = False) -> Base:
    """Read a reference; :class:`ConfigError` where it is none, or names no digest and may not be ``unpinned``."""
    read = _REFERENCE.fullmatch(reference)
    if read is None:
        message = f"{reference[:200]!r} names no image"
        raise ConfigError(message, f"Give --base IMAGE:TAG@sha256: and 64 digits of 0-9 and a-f. {_HOW}")
    base = Base(reference, read["sha256"] or "")
    if not base.pinned and not unpinned:
        raise ConfigError(
            f"{reference} has no digest: its tag may be another image tomorrow",
            f"Give --base {reference}@sha256:… {_HOW} --unpinned goes on without one.",
        )
    return base
