"""A line of a file of answers: a record as one line of JSON, read back as it was.

What such a file holds depends on what it is for: answers to a day's list, or to a set of questions with known answers.
A :class:`Kind` says what the file needs to know of its lines, so that one mechanism writes and resumes both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, TypeVar


class Line(Protocol):
    """A dataclass whose fields are a line's keys, in their order."""

    def line(self) -> bytes:
        """Return it as a line of JSON."""


L = TypeVar("L", bound=Line)


@dataclass(frozen=True)
class Kind(Generic[L]):
    """Lines of one kind.

    * ``type``: their dataclass; ``title``: what people call them, in the plural
    * ``key``: by what a line is found again, one in its file; ``error``: why it holds no answer, None where it does
    """

    type: type[L]
    title: str
    key: Callable[[L], Hashable]
    error: Callable[[L], str | None]

    @property
    def start(self) -> bytes:
        """What every line begins with."""
        return f'{{"{self._names[0]}": '.encode()

    def read(self, line: bytes) -> L | None:
        """Return what a line holds; None where it is no line of this kind."""
        try:
            document = json.loads(line)
            if list(document) != self._names:
                return None
            result = self.type(**document)
            hash(self.key(result))
            self.error(result)
        except (ValueError, TypeError, LookupError, RecursionError):
            return None
        return result

    @property
    def _names(self) -> list[str]:
        type_: Any = self.type
        return [field.name for field in fields(type_)]
