"""Reading a set: from a path and the name of a split to its questions, whichever form it is handed round in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from edgekit.errors import InputError
from edgekit.inputs.examples import turns_of
from edgekit.inputs.named import is_nameless, pictures_of
from edgekit.vqa.dataset import Dataset, FileForm, LeftOut
from edgekit.vqa.forms import KINDS, form_of, title_of
from edgekit.vqa.item import Id, Item
from edgekit.vqa.rows import rows_of
from edgekit.vqa.splits import rows_of_split, split_files, split_named, told

FORMS: tuple[FileForm, ...] = get_args(FileForm)
_ELSEWHERE = "Give the folder of the pictures by --images."


@dataclass(frozen=True)
class _Entry:
    """A row of a set's file, and what it is called where it has no id of its own."""

    file: Path
    number: int
    nameless_id: Id
    row: Mapping[str, Any]

    def __str__(self) -> str:
        return f"Entry {self.number} of {self.file}"


def read(
    path: Path, split: str, form: FileForm | None = None, images: Path | None = None, with_pictures: bool = True
) -> Dataset:
    """Read a split of the set at ``path``, a file or the folder with it; its form is seen by its rows, if not given.

    Pictures lie below ``images``, else in the file's folder, in ``images`` or ``imgs`` beside it, or where PathVQA has
    them. Rows without an answer or a picture, and rows whose picture is missing, are left out, each with its reason;
    where nothing is asked any more, ``with_pictures`` False, pictures may be missing.
    :class:`InputError`, before anything is asked, for a split that is not there, a row that can't be meant, an id that
    stands twice, and a set of which no row can be asked.
    """
    split = split_named(split)
    files = split_files(path, split)
    if images is not None and not images.is_dir():
        raise InputError(f"There is no folder {images}", _ELSEWHERE)
    entries = _entries(files, split)
    seen = form_of(entry.row for entry in entries)
    form = _form(entries[0], seen) if form is None else form
    folder = _folder(files, form) if images is None else images
    items, left_out = _sorted_out(entries, form, folder, with_pictures)
    source = files[0] if len(files) == 1 else path
    if not items:
        first = f"{left_out[0].id!r}: {left_out[0].reason}" if left_out else "it has no rows"
        raise InputError(f"No row of {source} can be asked: {first}", _ELSEWHERE)
    return Dataset(
        title=title_of(form, items),
        form=form,
        split=split,
        source=source,
        folder=folder,
        items=items,
        left_out=left_out,
        looks_like=None if seen == form else seen,
    )


def _entries(files: Sequence[Path], split: str) -> list[_Entry]:
    """The rows of a split; where several files are read, a row's number alone would stand for several."""
    return [
        _Entry(file, number, number if len(files) == 1 else f"{told(file)}-{number}", row)
        for file in files
        for number, row in rows_of_split(list(enumerate(rows_of(file), 1)), split, file)
    ]


def _sorted_out(
    entries: Iterable[_Entry], form: FileForm, folder: Path, with_pictures: bool
) -> tuple[tuple[Item, ...], tuple[LeftOut, ...]]:
    """The questions that can be asked, and the others; :class:`InputError` where two have the same id."""
    items: list[Item] = []
    left_out: list[LeftOut] = []
    places: dict[Id, _Entry] = {}
    for entry in entries:
        for each in _read(entry, form, folder, with_pictures):
            first = places.setdefault(each.id, entry)
            if first is not entry:
                raise InputError(
                    f"{_both(first, entry)} have the same id, {each.id!r}",
                    "Give each question an id of its own: its answer is found by it.",
                )
            if isinstance(each, Item):
                items.append(each)
            else:
                left_out.append(each)
    return tuple(items), tuple(left_out)


def _both(first: _Entry, second: _Entry) -> str:
    if first.file == second.file:
        return f"Entries {first.number} and {second.number} of {first.file}"
    return f"{first} and {second}"


def _form(first: _Entry, seen: FileForm | None) -> FileForm:
    if seen is None:
        keys = ", ".join(map(str, list(first.row)[:12]))
        raise InputError(
            f"{first.file} is no set that is known; its first row has {keys}", f"Give --form {'|'.join(FORMS)}."
        )
    return seen


def _folder(files: Sequence[Path], form: FileForm) -> Path:
    """Where names of pictures begin: the files' folder, or where PathVQA keeps pictures beside its ``qas``."""
    if form == "pathvqa":
        root = next((parent.parent for parent in files[0].parents if parent.name == "qas"), None)
        if root is not None and (root / "images").is_dir():
            return root / "images"
    folders = dict.fromkeys(file.parent for file in files)
    if len(folders) > 1:
        names = ", ".join(map(str, folders))
        raise InputError(f"The splits lie in several folders: {names}", f"Give one split at a time. {_ELSEWHERE}")
    return files[0].parent


def _read(entry: _Entry, form: FileForm, folder: Path, with_pictures: bool) -> Iterator[Item | LeftOut]:
    """A row's questions, or why they are left out: one, or one for each turn of a conversation."""
    row, kind = entry.row, KINDS[form]
    own = _id(entry, kind.ids)
    if is_nameless(row):
        yield LeftOut(own, "it names no picture")
        return
    pictures = pictures_of(_in_split(row, form, folder), folder, str(entry))
    turns = turns_of(row, pictures, str(entry))
    names = tuple(picture.relative_to(folder).as_posix() for picture in pictures)
    missing = next((name for name, picture in zip(names, pictures, strict=True) if not picture.is_file()), None)
    for turn, (question, answer) in enumerate(turns, 1):
        id = own if len(turns) == 1 else f"{own}#{turn}"
        if not pictures:
            yield LeftOut(id, "it names no picture")
        elif missing is not None and with_pictures:
            yield LeftOut(id, f"there is no picture {missing!r} in {folder}")
        elif not answer:
            yield LeftOut(id, "it has no answer")
        else:
            labels = kind.labels(row, answer)
            yield Item(id=id, question=question, images=names, answer=answer, **asdict(labels))


def _in_split(row: Mapping[str, Any], form: FileForm, folder: Path) -> Mapping[str, Any]:
    """A row of PathVQA, whose pictures lie in a folder for each split: the name of one begins with its split's."""
    image = row.get("image")
    if form != "pathvqa" or not isinstance(image, str):
        return row
    within = image.partition("_")[0]
    return {**row, "image": f"{within}/{image}"} if (folder / within).is_dir() else row


def _id(entry: _Entry, keys: tuple[str, ...]) -> Id:
    """What its set calls a row; its number where it calls it nothing."""
    value = next((entry.row[key] for key in keys if entry.row.get(key) is not None), entry.nameless_id)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InputError(f"{entry} has an id that is neither text nor a whole number", f"Correct its {keys[0]!r}.")
    try:
        str(value).encode()
    except ValueError:  # half a character, or more digits than Python writes
        raise InputError(f"{entry} has an id that can't be written", f"Correct its {keys[0]!r}.") from None
    return value
