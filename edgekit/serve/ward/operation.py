"""One method of one path of the ward's, described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOOKED = (401, 403, 404, 405, 408, 500, 503, 507)
"""What may go wrong wherever something is looked at; that it was is written down, which needs the disk."""
SENT = (400, *LOOKED, 413, 429)
"""And where a document is sent."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of a path.

    * ``id``, ``summary``: its name, and what it does
    * ``body``: the type of the document that it reads, or a media type; ``example`` of it
    * ``answer``: the type of the document that it writes, by its ``status``, or a media type; None: nothing. ``also``:
      other media types that it may have
    * ``errors``: the statuses of what may go wrong; ``query``: its values by their schemas
    * ``leads_to``: the operations that what it answers is for, each with where in it their parts of the path are
    """

    id: str
    summary: str
    body: type | str | None = None
    example: Any = None
    answer: type | str | None = None
    status: int = 200
    also: tuple[str, ...] = ()
    errors: tuple[int, ...] = LOOKED
    query: Mapping[str, Any] = field(default_factory=dict)
    leads_to: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
