"""Which picture a row of a question file is about: the keys that data sets name it by, and where it lies.

An example has one picture or none, a question of a day's list may have several. Whatever else seems to speak of a
picture, and of none that was found, is refused: a question that lost its picture is answered from nothing, and nobody
would see it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from edgekit.errors import InputError

_NAMES = (
    *("image", "image_name", "img_name", "image_path", "img_path", "image_file", "img_file", "image_filename", "img"),
    *("file_name", "filename", "images", "image_names", "image_paths"),
)
_NUMBERS = ("image_id", "img_id")  # SLAKE's is a number beside the name; elsewhere it may be the name
_SPEAKS = re.compile(r"image|img|picture|photo|video|dicom|scan|x[-_]?ray|figure", re.IGNORECASE)
PICTURE_FILE = re.compile(r"\.(png|jpe?g|bmp|tiff?|webp|dcm|dicom|gif)$", re.IGNORECASE)
_ENDINGS = ("", ".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")  # PathVQA's own rows leave the ending out
# The second is LLaVA's, the third SLAKE's, the last is in VQA-RAD's own archive.
_FOLDERS = ("", "images", "imgs", "VQA_RAD Image Folder")
_LONGEST_NAME = 255  # bytes that a file's name may have
_ONE = "EdgeKit takes one picture a question: give each its own entry, or make one picture of them."
_HINT = 'Save each picture as a file, and name it as in {"image": "x.png"}.'


def picture_of(row: Mapping[str, Any], folder: Path, entry: str) -> Path | None:
    """Return the file of the one picture that ``row`` names, in ``folder`` or its ``images`` or ``imgs``;
    None for text alone.

    :class:`InputError`, which begins with ``entry``, for a picture that is missing, named outside the folder, held by
    the row itself, one of several, or named by a key that is not known to name one.
    """
    for key, names in _named(row, entry).items():
        if len(names) > 1:
            raise InputError(f"{entry} names {len(names)} pictures by '{key}'", _ONE)
    picture = next(iter(pictures_of(row, folder, entry)), None)
    if picture is not None and not os.path.isfile(picture):
        name = _clip(picture.relative_to(folder))
        raise InputError(
            f"{entry}: there is no picture {name!r} in {folder}", f"Put it there, or into {folder / 'images'}."
        )
    return picture


def pictures_of(row: Mapping[str, Any], folder: Path, entry: str) -> tuple[Path, ...]:
    """Return the files of all pictures that ``row`` names, in their order; for a missing one, where it should lie.

    Errors as :func:`picture_of`'s for what can't be meant, whatever is there: names outside the folder, pictures in the
    row itself, different ones by several keys, keys that are not known to name one.
    """
    lists = [tuple(_place(name, folder, entry) for name in names) for names in _named(row, entry).values() if names]
    pictures = lists[0] if lists else ()
    if any(other != pictures for other in lists):
        names = dict.fromkeys(_clip(path.name) for paths in lists for path in paths)
        raise InputError(f"{entry} names several pictures: {', '.join(names)}", _ONE)
    known = (*_NAMES, *_NUMBERS)
    check_keys({key: value for key, value in row.items() if key not in known}, pictures, entry)
    return pictures


def is_nameless(row: Mapping[str, Any]) -> bool:
    """Whether a row names no picture: its keys for one are empty, or it has none and nothing in it may be a file of
    one. A table that lacks a name writes NaN."""
    values = [row[key] for key in _NAMES if key in row]
    if values:
        return all(map(_is_empty, values))
    numbers = (row.get(key) for key in _NUMBERS)
    texts = (text for value in row.values() for text in _texts(value, within=True))
    return all(isinstance(number, int) or _is_empty(number) for number in numbers) and not any(map(_is_file, texts))


def _is_empty(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _is_file(text: str) -> bool:
    """Whether a text is the name of a picture's file, and not a sentence that ends in one."""
    return bool(PICTURE_FILE.search(text)) and not re.search(r"\s", text)


def check_keys(entries: Mapping[str, Any], pictures: Sequence[Path], entry: str) -> None:
    """Refuse ``entries`` with a key, or the name of a file, that may mean another picture than one of ``pictures``."""
    for key, value in entries.items():
        if _names_another(str(key), value, pictures):
            raise InputError(f"{entry} may name a picture by '{_clip(key)}', which is not known to", _HINT)


def _named(row: Mapping[str, Any], entry: str) -> dict[str, list[str]]:
    """The names of pictures by the keys that hold them."""
    for keys in (_NAMES, _NUMBERS):
        named = {key: [_name(key, value, entry) for value in values] for key, values in _values(row, keys)}
        if any(named.values()):
            return named
    return {}


def _values(row: Mapping[str, Any], keys: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
    for key in keys:
        value = row.get(key)
        if value is not None:
            yield key, [] if value == [None] else value if isinstance(value, list) else [value]


def _name(key: str, value: Any, entry: str) -> str:
    if isinstance(value, (Mapping, list)):
        raise InputError(f"{entry} holds its picture itself, in '{key}', not the name of a file", _HINT)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{entry} names its picture by what is no text: '{key}' is {_clip(value)}", _HINT)
    return value


def _place(name: str, folder: Path, entry: str) -> Path:
    pure = PurePosixPath(name)
    if name.startswith("data:") or any(len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in pure.parts):
        raise InputError(f"{entry} holds its picture itself ({_clip(name)}), not the name of a file", _HINT)
    if re.match(r"[a-z][a-z0-9+]*://", name, re.IGNORECASE):
        raise InputError(f"{entry} names a picture on the net: {_clip(name)}", "Fetch it, and name the file.")
    if pure.is_absolute() or ".." in pure.parts:
        raise InputError(
            f"{entry} names a picture outside its folder: {_clip(name)!r}", "Put the pictures beside the file."
        )
    for ending in _ENDINGS:
        for place in _FOLDERS:
            path = folder / place / (name + ending)
            with suppress(OSError):  # a path that is too long, or leads through what may not be read
                if path.is_file():
                    return path
    return folder / name


def _names_another(key: str, value: Any, pictures: Sequence[Path]) -> bool:
    """Whether a value is more than a remark on ``pictures``: another's file, or anything where there is none."""
    speaks = bool(_SPEAKS.search(key))
    if speaks and not pictures:
        return bool(value) and not isinstance(value, bool)
    files = (PurePosixPath(text) for text in _texts(value, within=speaks) if PICTURE_FILE.search(text))
    if not speaks:  # sentences may end in a file's name
        files = (file for file in files if not re.search(r"\s", str(file)))
    return any(file.name not in {picture.name for picture in pictures} for file in files)


def _texts(value: Any, *, within: bool) -> Iterator[str]:
    """A text, or those in a list; with ``within``, those in lists and objects in it, too."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            todo += item
        elif within and isinstance(item, Mapping):
            todo += item.values()


def _clip(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
