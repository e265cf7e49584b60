"""What is asked: a file of questions, or a folder of pictures that are all asked one question.

In: a path. Out: rows, each with an id of its own by which its answer is found again. Whether the pictures are there is
not looked at: a list is made before the pictures come, and one that never came is that row's loss.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.inputs import formats
from edgekit.inputs.dicom.recognise import is_dicom
from edgekit.inputs.examples import read_rows, turns_of
from edgekit.inputs.named import PICTURE_FILE, pictures_of
from edgekit.vqa.item import Id

_IDS = ("id", "question_id")  # the second is the judge's
_DIRECTORY = "DICOMDIR"  # of a DICOM medium; PS3.10 fixes the name
_NUMBERED = "Give every row an 'id' of its own, or none of them: they are numbered then."


@dataclass(frozen=True)
class Row:
    """A question about pictures: ``images`` are files below ``folder``, as POSIX writes them."""

    id: Id
    question: str
    images: tuple[str, ...]
    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self.folder / image for image in self.images)


@dataclass(frozen=True)
class Batch:
    """A list: where it was read, its rows in its order, and files of a folder that were left out as no pictures."""

    source: Path
    rows: tuple[Row, ...]
    left_out: tuple[str, ...] = ()

    @property
    def out(self) -> Path:
        """Where its answers go unless somebody says otherwise: beside it."""
        source = Path(os.path.abspath(self.source))
        name = source.name if source.is_dir() else source.stem
        return source.with_name(f"{name}.answers.jsonl")

    def neighbours(self) -> list[Row]:
        """Return the rows with those about the same pictures beside each other."""
        return neighbours(self.rows)


def neighbours(rows: Sequence[Row]) -> list[Row]:
    """Return rows with those about the same pictures beside each other: a picture is then read once."""
    first: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows):
        first.setdefault(row.images, number)
    return sorted(rows, key=lambda row: first[row.images])


def read_batch(path: Path, question: str | None = None) -> Batch:
    """Read a list: a file of questions, or with ``question`` a folder of pictures that are all asked it.

    A file is JSON, or JSON a line, of rows ``{"id", "question", "images"}`` (the id may be left out, and one picture or
    none be named), or in any form that :func:`~edgekit.inputs.examples.read_examples` reads. :class:`InputError` names
    the row that can't be meant.
    """
    if path.is_dir():
        if question is None or not question.strip():
            raise InputError(f"{path} is a folder, and no question is given", "Give the QUESTION for its pictures.")
        return _folder(path, question.strip())
    if not path.is_file():
        raise InputError(f"There is no file or folder {path}", "Give a JSON file of questions, or a folder.")
    if question is not None:
        raise InputError(f"{path} has questions of its own", "Leave the QUESTION out, or give a folder of pictures.")
    rows: dict[Id, Row] = {}
    numbers: dict[Id, int] = {}
    for number, entry in enumerate(read_rows(path), 1):
        for row in _rows(entry, path, number):
            if row.id in rows:
                again = f"Entries {numbers[row.id]} and {number} of {path} have the same id, {_clip(row.id)}"
                raise InputError(again, _NUMBERED)
            rows[row.id], numbers[row.id] = row, number
    return Batch(path, tuple(rows.values()))


def _rows(entry: Mapping[str, Any], path: Path, number: int) -> Iterator[Row]:
    """An entry's rows: one for each turn of a conversation, numbered where there are several."""
    place = f"Entry {number} of {path}"
    pictures = pictures_of(entry, path.parent, place)
    images = tuple(picture.relative_to(path.parent).as_posix() for picture in pictures)
    id = _id(entry, place)
    turns = turns_of(entry, pictures, place)
    for turn, (question, _) in enumerate(turns, 1):
        own = number if id is None else id
        yield Row(own if len(turns) == 1 else f"{own}#{turn}", question, images, path.parent)


def _id(entry: Mapping[str, Any], place: str) -> Id | None:
    id = next((entry[key] for key in _IDS if entry.get(key) is not None), None)
    if id is None:
        return None
    if isinstance(id, bool) or not isinstance(id, str | int) or id == "":
        raise InputError(f"{place} has an id that is neither text nor a whole number", _NUMBERED)
    try:
        str(id).encode()
    except ValueError:  # half a character, or more digits than Python writes
        raise InputError(f"{place} has an id that can't be written", _NUMBERED) from None
    return id


def _folder(folder: Path, question: str) -> Batch:
    files = sorted(_files(folder), key=lambda path: path.parts)
    pictures = [path for path in files if _is_picture(path)]
    if not pictures:
        raise InputError(f"{folder} holds no pictures", "Give a folder of PNG, JPEG, BMP, TIFF, WebP or DICOM files.")
    left_out = set(files) - set(pictures)
    names = [path.relative_to(folder).as_posix() for path in pictures]
    rows = tuple(Row(name, question, (name,), folder) for name in names)
    return Batch(folder, rows, tuple(sorted(path.relative_to(folder).as_posix() for path in left_out)))


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder and those below it, without hidden ones: systems leave those beside others."""
    for place, folders, names in os.walk(folder):
        folders[:] = _shown(folders)
        paths = (Path(place, name) for name in _shown(names))
        yield from (path for path in paths if path.is_file() or not path.exists())  # a pipe would never end


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]


def _is_picture(path: Path) -> bool:
    """Whether a file is asked about: what can't be read, or is a picture by name alone, gets an error for an answer."""
    if path.name == _DIRECTORY:
        return False
    if PICTURE_FILE.search(path.name):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(formats.HEAD)
    except OSError:
        return True
    return formats.ours(head) is not None or is_dicom(head[:132], path.name)


def _clip(id: Id) -> str:
    text = str(id)
    return text if len(text) <= 40 else f"{text[:40]}…"
