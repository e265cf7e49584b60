"""Phantoms with their questions as a folder that other tools read: in LLaVA's form, in VQA-RAD's, or as DICOM.

Every form has one row a question, numbered alike. Also for training: in a conversation of several turns, the
earlier answers would tell the later ones, and a model could do well without looking at the picture.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from edgekit.errors import EdgeKitError, InputError
from edgekit.files import new_directory, writing
from edgekit.machine.system import cores
from edgekit.phantom.dicom import dicom_file, require_pydicom
from edgekit.phantom.draw import draw
from edgekit.phantom.questions import Question, ask
from edgekit.phantom.scene import Scene, scene
from edgekit.phantom.split import SEEDS, TEST_SCENES, Asked, Split, balanced
from edgekit.progress import Progress, silent

Layout: TypeAlias = Literal["llava", "vqa-rad", "dicom"]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of phantoms that was written, its counts and its bytes."""

    path: Path
    form: Layout
    split: Split
    phantoms: int
    questions: int
    bytes: int

    def document(self) -> dict[str, Any]:
        """Return a folder as JSON has it."""
        return {**vars(self), "path": str(self.path)}


@dataclass(frozen=True)
class _Row:
    """A question, its number (unique among all phantoms) and the name of its picture's file."""

    number: int
    image: str
    question: Question

    @property
    def answer_type(self) -> str:
        return "CLOSED" if self.question.form == "closed" else "OPEN"


def write_folder(
    path: Path, form: Layout = "llava", split: Split = "test", count: int = TEST_SCENES, progress: Progress = silent
) -> Folder:
    """Write the first ``count`` phantoms of ``split`` with their questions to a new folder ``path``.

    For training, all that :func:`~edgekit.phantom.questions.ask` asks about a phantom; otherwise the six
    questions a phantom that :func:`~edgekit.phantom.split.balanced` chooses. The same arguments write
    the same bytes. ``llava``: conversations.json and images/, the paths in it relative to the folder;
    ``vqa-rad``: SPLIT.json and images/; ``dicom``: questions.json and a ``.dcm`` a phantom.

    Raises :class:`EdgeKitError` when ``path`` exists or can't be written, :class:`~edgekit.errors.InputError`
    for a ``count`` that the split does not have, :class:`~edgekit.errors.MissingExtra` for ``dicom`` without pydicom.
    """
    if not 1 <= count <= len(SEEDS[split]):
        raise InputError(f"{count} phantoms can't be written", f"{split} has from 1 to {len(SEEDS[split])}.")
    if path.exists():
        raise EdgeKitError(f"{path} exists already", "Choose another folder, or remove it first.")
    if form == "dicom":
        require_pydicom()
    layout = _LAYOUTS[form]
    with new_directory(path) as directory:
        rows = list(_rows(split, count, layout.suffix))
        size = _write_pictures(directory / layout.folder, SEEDS[split][:count], layout, progress)
        index = directory / layout.index.format(split=split)
        size += _write(index, (json.dumps([layout.row(row) for row in rows], indent=2) + "\n").encode())
    return Folder(path=path, form=form, split=split, phantoms=count, questions=len(rows), bytes=size)


def _rows(split: Split, count: int, suffix: str) -> Iterator[_Row]:
    before: Scene | None = None
    index = 0
    for asked in _asked(split, count):
        index = index + 1 if asked.scene is before else 0
        before = asked.scene
        assert index < 100, "a phantom's questions are numbered with two digits"
        yield _Row(100 * before.seed + index, _name(before.seed) + suffix, asked.question)


def _asked(split: Split, count: int) -> Iterator[Asked]:
    if split != "train":
        yield from balanced(split, count)
        return
    for seed in SEEDS[split][:count]:
        shown = scene(seed)
        for question in ask(shown, np.random.default_rng((seed, 2))):
            yield Asked(shown, question)


def _name(seed: int) -> str:
    return f"phantom{seed:08}"


def _write_pictures(folder: Path, seeds: Sequence[int], layout: _Layout, progress: Progress) -> int:
    """Draw and write on all cores (most of it runs outside the interpreter's lock); the bytes written."""

    def draw_one(seed: int) -> int:
        return _write(folder / (_name(seed) + layout.suffix), layout.encode(scene(seed)))

    with writing(folder):
        folder.mkdir(exist_ok=True)
    size, at_once = 0, 64
    with ThreadPoolExecutor(cores(), thread_name_prefix="edgekit-phantom") as pool:
        # A few at a time: whatever ends this loop waits for those alone.
        for start in range(0, len(seeds), at_once):
            size += sum(pool.map(draw_one, seeds[start : start + at_once]))
            progress("draw", min(start + at_once, len(seeds)), len(seeds))
    return size


def _write(path: Path, content: bytes) -> int:
    with writing(path):
        return path.write_bytes(content)


def _png(scene: Scene) -> bytes:
    stream = io.BytesIO()
    draw(scene).save(stream, "PNG")
    return stream.getvalue()


def _llava(row: _Row) -> dict[str, Any]:
    """As LLaVA's trainers read it and LLaVA-Med's evaluation does: the answer is conversations[1]["value"]."""
    return {
        "id": str(row.number),
        "image": f"images/{row.image}",
        "conversations": [
            {"from": "human", "value": f"<image>\n{row.question.text}"},
            {"from": "gpt", "value": row.question.answer},
        ],
        "answer_type": row.answer_type,
    }


# VQA-RAD's kinds of questions (Lau et al. 2018, table 2) for our topics.
_QUESTION_TYPES = {
    "presence": "PRES",
    "presence on a side": "PRES",
    "heart": "SIZE",
    "heart, normal or enlarged": "SIZE",
    "normal": "ABN",
    "device": "PRES",
    "clear zone": "ABN",
    "left or right": "POS",
    "upper or lower": "POS",
    "one or the other": "ABN",
    "where": "POS",
    "what": "ABN",
    "what on a side": "ABN",
    "how many": "COUNT",
    "which device": "OTHER",
    "description": "OTHER",
}


def _vqa_rad(row: _Row) -> dict[str, Any]:
    """The keys of VQA-RAD's rows, in their order."""
    return {
        "qid": row.number,
        "image_name": row.image,
        "image_organ": "CHEST",
        "answer": row.question.answer,
        "answer_type": row.answer_type,
        "question_type": _QUESTION_TYPES[row.question.topic],
        "question": row.question.text,
        "phrase_type": "freeform",
    }


def _plain(row: _Row) -> dict[str, Any]:
    return {
        "id": str(row.number),
        "image": row.image,
        "question": row.question.text,
        "answer": row.question.answer,
        "answer_type": row.answer_type,
        "topic": row.question.topic,
    }


@dataclass(frozen=True)
class _Layout:
    folder: str
    suffix: str
    encode: Callable[[Scene], bytes]
    index: str
    row: Callable[[_Row], dict[str, Any]]


_LAYOUTS: dict[Layout, _Layout] = {
    "llava": _Layout("images", ".png", _png, "conversations.json", _llava),
    "vqa-rad": _Layout("images", ".png", _png, "{split}.json", _vqa_rad),
    "dicom": _Layout("", ".dcm", lambda shown: dicom_file(shown.seed, draw(shown)), "questions.json", _plain),
}
