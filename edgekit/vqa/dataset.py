"""A split of a set: its questions, where their pictures lie, and the rows that can't be asked, each with its reason."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgekit.vqa.item import Id, Item

FileForm: TypeAlias = Literal["vqa-rad", "slake", "pathvqa", "llava", "conversation"]
"""How a set's file is written."""

Form: TypeAlias = Literal["phantoms", FileForm]


@dataclass(frozen=True)
class LeftOut:
    """A row that is not asked: its id, or its number in its file where it has none, and why."""

    id: Id
    reason: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One split of a set.

    * ``title``: what people call the set, as "VQA-RAD"; ``form``: how its file is written
    * ``source``: the file that was read, or the folder of several; ``folder``: below which pictures lie
    * ``items`` in the file's order; ``left_out``: rows that are not asked
    * ``looks_like``: the form that its rows show, where it is read as another because somebody said so
    """

    title: str
    form: Form
    split: str
    source: Path
    folder: Path
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...] = ()
    looks_like: Form | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of what is asked and what is right: the same for the same items, wherever they were read."""
        lines = (json.dumps(asdict(item), ensure_ascii=False, sort_keys=True) for item in self.items)
        return sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()

    def document(self) -> dict[str, Any]:
        """Return which questions were asked, as JSON has it."""
        return {
            "title": self.title,
            "form": self.form,
            "split": self.split,
            "digest": self.digest,
            "items": len(self.items),
            "left_out": [asdict(row) for row in self.left_out],
        }
