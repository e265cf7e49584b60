"""An answer to a day's list, as its line has it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from edgekit.batch.line import Kind
from edgekit.vqa.item import Id


@dataclass(frozen=True, kw_only=True)
class Result:
    """A line: what was asked, of which model and how, and what came of it.

    * ``id``, ``question``, ``images``: the row's own; ``sha256``: of each picture's file
    * ``model``, ``fingerprint``, ``sampling``: as which the answer can be had again, with ``seed``
    * the rest as :class:`~edgekit.batch.answer.Answer` has it
    """

    id: Id
    question: str
    images: list[str]
    sha256: list[str]
    model: str
    fingerprint: str | None
    sampling: dict[str, Any]
    text: str | None
    reason: str | None
    tokens: int | None
    seed: int | None
    notes: list[str]
    error: str | None

    def line(self) -> bytes:
        """Return it as a line of JSON in UTF-8."""
        # Names of files may hold what no text can: it is escaped, and read back as it was.
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


RESULTS = Kind(Result, "answers to a list", key=lambda result: result.id, error=lambda result: result.error)
