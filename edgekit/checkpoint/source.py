"""A checkpoint folder as the dialects see it: its config, its tensors by their stored names, its small files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.documents import Fields, read_optional, read_text

Config = Mapping[str, Any]


def printable(text: str) -> str:
    """Return ``text`` with "?" for half surrogate pairs, which JSON may spell and no file can hold."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Source:
    """What lies in a folder; of the tensors, only headers have been read. ``config`` is empty when there is none."""

    path: Path
    config: Fields
    tensors: Mapping[str, Weight]

    @property
    def model_type(self) -> str:
        """The model_type of config.json; empty when it says none."""
        kind = self.config.values.get("model_type")
        return kind if isinstance(kind, str) else ""

    def files(self) -> frozenset[str]:
        """Return the names of what lies in the folder, folders included."""
        return frozenset(entry.name for entry in self.path.iterdir())

    def table(self, name: str) -> Fields:
        """Read a JSON file beside the weights; empty when there is none."""
        return Fields(read_optional(self.path / name), str(self.path / name))

    def prefix(self, candidates: Sequence[str], tensor: str) -> str | None:
        """Return the first of ``candidates`` under which ``tensor`` lies; None where it lies under none."""
        return next((prefix for prefix in candidates if prefix + tensor in self.tensors), None)

    def names(self) -> Iterator[str]:
        """Yield what the checkpoint calls itself, in lower case: its folder, and the names in its config."""
        yield self.path.name.lower()
        for key in ("_name_or_path", "llm_model_name_or_path"):
            if isinstance(name := self.config.values.get(key), str):
                yield name.lower()

    def text(self, name: str) -> str:
        """Read a text file beside the weights; empty when there is none."""
        path = self.path / name
        return read_text(path) if path.is_file() else ""
