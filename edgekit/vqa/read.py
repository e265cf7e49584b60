"""Reading a set: from a path and the name of a split to its questions, whichever form it is handed round in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from edgekit.errors import InputError
from edgekit.inputs.examples import turns_of
from edgekit.inputs.named import pictures_of
from edgekit.vqa.dataset import Dataset, Form, LeftOut
from edgekit.vqa.forms import KINDS, form_of, title_of
from edgekit.vqa.item import Id, Item
from edgekit.vqa.rows import rows_of
from edgekit.vqa.splits import rows_of_split, split_file, split_named

FORMS: tuple[Form, ...] = tuple(form for form in get_args(Form) if form != "phantoms")
_ELSEWHERE = "Give the folder of the pictures by --images."


def read(path: Path, split: str, form: Form | None = None, images: Path | None = None) -> Dataset:
    """Read a split of the set at ``path``, a file or the folder with it; its form is seen by its rows, if not given.

    Pictures lie below ``images``, else in the file's folder, in ``images`` or ``imgs`` beside it, or where PathVQA has
    them. Rows without an answer, and rows whose picture is missing, are left out, each with its reason.
    :class:`InputError`, before anything is asked, for a split that is not there, a row that can't be meant, an id that
    stands twice, and a set of which no row can be asked.
    """
    split = split_named(split)
    file = split_file(path, split)
    if images is not None and not images.is_dir():
        raise InputError(f"There is no folder {images}", _ELSEWHERE)
    rows = rows_of_split(list(enumerate(rows_of(file), 1)), split, file)
    form = _form(rows[0][1], file) if form is None else form
    folder = _folder(file, form, split) if images is None else images
    items: dict[Id, Item] = {}
    left_out: list[LeftOut] = []
    numbers: dict[Id, int] = {}
    for number, row in rows:
        for each in _read(row, form, folder, file, number):
            id = each.id
            if id in numbers:
                raise InputError(
                    f"Entries {numbers[id]} and {number} of {file} have the same id, {id!r}",
                    "Give each question an id of its own: its answer is found by it.",
                )
            numbers[id] = number
            if isinstance(each, Item):
                items[id] = each
            else:
                left_out.append(each)
    if not items:
        first = f"{left_out[0].id!r}: {left_out[0].reason}" if left_out else "it has no rows"
        raise InputError(f"No row of {file} can be asked: {first}", _ELSEWHERE)
    kept = tuple(items.values())
    return Dataset(
        title=title_of(form, kept),
        form=form,
        split=split,
        source=file,
        folder=folder,
        items=kept,
        left_out=tuple(left_out),
    )


def _form(row: Mapping[str, Any], file: Path) -> Form:
    form = form_of(row)
    if form is None:
        keys = ", ".join(map(str, list(row)[:12]))
        raise InputError(f"{file} is no set that is known; its first row has {keys}", f"Give --form {'|'.join(FORMS)}.")
    return form


def _folder(file: Path, form: Form, split: str) -> Path:
    """Where names of pictures begin: the file's folder, or where PathVQA keeps pictures beside its ``qas``."""
    if form == "pathvqa":
        root = next((parent.parent for parent in file.parents if parent.name == "qas"), None)
        if root is not None and (root / "images").is_dir():
            return root / "images"
    return file.parent


def _read(row: Mapping[str, Any], form: Form, folder: Path, file: Path, number: int) -> Iterator[Item | LeftOut]:
    """A row's questions, or why they are left out: one, or one for each turn of a conversation."""
    entry = f"Entry {number} of {file}"
    kind = KINDS[form]
    pictures = pictures_of(_in_split(row, form, folder), folder, entry)
    turns = turns_of(row, pictures, entry)
    own = _id(row, kind.ids, number, entry)
    missing = next((picture for picture in pictures if not picture.is_file()), None)
    for turn, (question, answer) in enumerate(turns, 1):
        id = own if len(turns) == 1 else f"{own}#{turn}"
        if missing is not None:
            yield LeftOut(id, f"there is no picture {missing.relative_to(folder).as_posix()!r} in {folder}")
        elif not answer:
            yield LeftOut(id, "it has no answer")
        else:
            labels = kind.labels(row, answer)
            names = tuple(picture.relative_to(folder).as_posix() for picture in pictures)
            yield Item(id=id, question=question, images=names, answer=answer, **asdict(labels))


def _in_split(row: Mapping[str, Any], form: Form, folder: Path) -> Mapping[str, Any]:
    """A row of PathVQA, whose pictures lie in a folder for each split: the name of one begins with its split's."""
    image = row.get("image")
    if form != "pathvqa" or not isinstance(image, str):
        return row
    within = image.partition("_")[0]
    return {**row, "image": f"{within}/{image}"} if (folder / within).is_dir() else row


def _id(row: Mapping[str, Any], keys: tuple[str, ...], number: int, entry: str) -> Id:
    """What its set calls a row; its number where it calls it nothing."""
    value = next((row[key] for key in keys if row.get(key) is not None), number)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InputError(f"{entry} has an id that is neither text nor a whole number", f"Correct its {keys[0]!r}.")
    return value
