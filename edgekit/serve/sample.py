"""A picture to try: what a demo hands its service, which shows it to whoever opens the page."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """A sample is a picture's ``content``, a PNG, by a ``name`` that needs no escapes in an address, and a ``question``
    to ask about it."""

    name: str
    question: str
    content: bytes = field(repr=False)
