"""A file of predictions that somebody wrote, EdgeKit or another program, paired with the set that it answers.

Form: LLaVA's, a line of JSON per answer with ``question_id`` and ``text``, and maybe ``prompt``, ``model_id`` and more.
The reference pairs lines with questions by their order; here it is by id, so that a file of which lines are missing, or
that is sorted otherwise, scores what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.evaluate.answered import Answered
from edgekit.evaluate.prediction import Prediction
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Id, Item

_FORM = 'Each line is an object such as {"question_id": 7, "text": "yes"}.'
_NAMED = 8


@dataclass(frozen=True)
class Foreign:
    """What each model of a file answered, in the file's order.

    * ``unknown``: ids of lines that the set does not ask, which are passed over
    * ``other_prompts``: how many lines have a prompt without the set's question in it
    """

    answered: tuple[Answered, ...]
    unknown: tuple[Id, ...]
    other_prompts: int


def read_predictions(path: Path, dataset: Dataset) -> Foreign:
    """Read the answers to ``dataset`` in the file ``path``; a question without a line counts as one without an answer.

    :class:`InputError` for what is no such file, an id that stands twice for one model, and a file of which no line, or
    no prompt, is of this set: then it is another's, or of another split.
    """
    lines = list(_lines(path))
    ids = _ids(dataset)
    unknown = tuple(dict.fromkeys(line.question_id for _, line in lines if line.question_id not in ids))
    if len(unknown) == len({line.question_id for _, line in lines}):
        raise InputError(
            f"{path} answers none of the {len(dataset.items)} questions of {dataset.source} ({dataset.split})",
            f"Its ids are {_named(unknown)}: give the set and the split that it answers.",
        )
    models: dict[str, dict[Id, Prediction]] = {}
    numbers: dict[tuple[str, Id], int] = {}
    others = 0
    for number, line in lines:
        item = ids.get(line.question_id)
        if item is None:
            continue
        first = numbers.setdefault((line.model_id, item.id), number)
        if first != number:
            raise InputError(
                f"Lines {first} and {number} of {path} both answer {item.id!r}", "Keep one answer to each question."
            )
        others += not _asks(line.prompt, item)
        models.setdefault(line.model_id, {})[item.id] = replace(line, question_id=item.id)
    if others == len(numbers):
        raise InputError(
            f"No prompt in {path} asks a question of {dataset.source} ({dataset.split})",
            "Its ids only happen to be the same: give the set and the split that it answers.",
        )
    return Foreign(tuple(_answered(name or path.stem, by, dataset) for name, by in models.items()), unknown, others)


def _answered(name: str, lines: Mapping[Id, Prediction], dataset: Dataset) -> Answered:
    predictions = tuple(lines.get(item.id, _missing(item, name)) for item in dataset.items)
    return Answered(
        name=name,
        dataset=dataset,
        predictions=predictions,
        texts={item.id: each.text or "" for item, each in zip(dataset.items, predictions, strict=True)},
    )


def _missing(item: Item, name: str) -> Prediction:
    return Prediction(
        question_id=item.id,
        prompt=item.question,
        text=None,
        answer_id="",
        model_id=name,
        metadata={"error": "the file has no line for it"},
    )


def _ids(dataset: Dataset) -> dict[Id, Item]:
    """The questions by their ids, and by those written as text or as numbers where that is no other's."""
    ids: dict[Id, Item] = {item.id: item for item in dataset.items}
    for item in dataset.items:
        other: Id | None = str(item.id) if isinstance(item.id, int) else _whole(item.id)
        if other is not None:
            ids.setdefault(other, item)
    return ids


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and str(int(text[:18])) == text else None


def _asks(prompt: str, item: Item) -> bool:
    """Whether a prompt has the question in it, blanks and capitals aside; a line without a prompt does not deny it."""
    said, asked = (" ".join(text.lower().split()) for text in (prompt, item.question))
    return not said or asked in said


def _lines(path: Path) -> Iterator[tuple[int, Prediction]]:
    """The lines of a file that are not empty, one at least, with their numbers."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", "Give a file of predictions.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text", _FORM) from None
    if not text.strip():
        raise InputError(f"{path} is empty", _FORM)
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _line(line, f"Line {number} of {path}")


def _line(text: str, place: str) -> Prediction:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not valid JSON: {error}", "The file may have been cut: write it again.") from None
    if not isinstance(row, dict) or not {"question_id", "text"} <= set(row):
        raise InputError(f"{place} has no 'question_id' and 'text'", _FORM)
    id = row["question_id"]
    if isinstance(id, bool) or not isinstance(id, str | int):
        raise InputError(f"{place} has a 'question_id' that is neither text nor a whole number", _FORM)
    if not isinstance(row["text"], str | None):
        raise InputError(f"{place} has a 'text' that is no text", _FORM)
    metadata = row.get("metadata")
    return Prediction(
        question_id=id,
        prompt=_said(row, "prompt"),
        text=row["text"],
        answer_id=_said(row, "answer_id"),
        model_id=_said(row, "model_id"),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _said(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _named(ids: Sequence[Id]) -> str:
    names = ", ".join(repr(id) for id in ids[:_NAMED])
    return names if len(ids) <= _NAMED else f"{names} and {len(ids) - _NAMED} more"
