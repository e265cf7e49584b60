"""What the conversation set says of each question's figure: all that a judge, who can't see it, has to go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import InputError
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.forms import KINDS
from edgekit.vqa.item import Id
from edgekit.vqa.rows import rows_of
from edgekit.vqa.splits import split_files


@dataclass(frozen=True)
class Figure:
    """A figure of an article: its ``caption``, and the sentences of the article that mention it."""

    caption: str
    mentions: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether anything is said of it."""
        return bool(self.caption or self.mentions)


def figures_of(dataset: Dataset) -> dict[Id, Figure]:
    """Return the figure of each question of a conversation set, read anew from its file.

    :class:`InputError` where ``dataset`` is another set, and for a caption or mentions that are no texts.
    """
    if dataset.form != "conversation":
        raise InputError(
            f"{dataset.source} is {dataset.title}, which has no captions for a judge to go by",
            "A judge is for the conversation set, whose rows have 'gpt4_answer' and 'fig_caption'.",
        )
    figures: dict[Id, Figure] = {}
    for file in split_files(dataset.source, dataset.split):
        for number, row in enumerate(rows_of(file), 1):
            id = next((row[key] for key in KINDS["conversation"].ids if row.get(key) is not None), number)
            figures[id] = _figure(row, f"Entry {number} of {file}")
    return figures


def _figure(row: Mapping[str, Any], entry: str) -> Figure:
    caption = row.get("fig_caption") or ""
    if not isinstance(caption, str):
        raise InputError(f"{entry} has a 'fig_caption' that is no text", "Correct the row.")
    mentions = tuple(text.strip() for text in _texts(row.get("in_text_mention") or "", entry))
    return Figure(caption.strip(), tuple(filter(None, mentions)))


def _texts(value: Any, entry: str) -> Iterator[str]:
    """A text, those of a list, and of an object its ``text``, or all where it has none of that name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, entry)
    elif isinstance(value, Mapping):
        yield from _texts(value["text"] if "text" in value else list(value.values()), entry)
    elif value is not None:
        raise InputError(f"{entry} has an 'in_text_mention' that holds no texts", "Correct the row.")
