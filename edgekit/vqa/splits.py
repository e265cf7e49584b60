"""Which file of a folder, and which rows of a file, are a split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.vqa.forms import form_of
from edgekit.vqa.rows import PICKLES, rows_of

ALL = "all"
NAMES = {
    "train": ("train", "trainset"),
    "validation": ("validation", "validate", "valid", "val", "valset"),
    "test": ("test", "testset"),
}
_ENDINGS = (".json", ".jsonl", *PICKLES)
_OF_PICTURE = re.compile(r"(?:.*/)?(train|val|test)_\d+(?:\.\w+)?")


def split_named(split: str) -> str:
    """Return a split by its one name: "val" and "validate" are "validation"; :class:`InputError` for an empty one."""
    word = split.strip().lower()
    if not word:
        raise InputError("The split has no name", "Give --split train, validation, test or all.")
    return next((name for name, words in NAMES.items() if word in words), word)


def split_files(path: Path, split: str) -> list[Path]:
    """Return the file of ``split``: ``path`` itself, or the one in that folder that is named so, else its only one with
    a set; of :data:`ALL`, the file of each split that is there.

    :class:`InputError` where there is none, or several may be meant.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"There is no file or folder {path}", "Give a set's file, or the folder with it.")
    if split == ALL:
        files = [_one(path, split, files) for name in NAMES if (files := _named(path, name))]
        if files:
            return files
    return [_one(path, split, _named(path, split) or _unnamed(path, split))]


def _unnamed(folder: Path, split: str) -> list[Path]:
    """The files in a folder that may be a split: where several aren't called after another, those that hold a set."""
    files = sorted(file for file in folder.iterdir() if file.suffix in _ENDINGS and file.is_file())
    files = [file for file in files if split == ALL or told(file) in (None, split)]
    return files if len(files) < 2 else [file for file in files if _holds_set(file)] or files


def _holds_set(file: Path) -> bool:
    try:
        return form_of(rows_of(file)) is not None
    except InputError:
        return False


def _one(path: Path, split: str, files: Sequence[Path]) -> Path:
    """The only one of the files that may be meant."""
    if len(files) == 1:
        return files[0]
    if not files:
        raise InputError(f"{path} holds no file of the split {split!r}", "Give the file itself, or another --split.")
    names = ", ".join(str(file.relative_to(path)) for file in files[:8])
    raise InputError(f"{path} holds several files that may be meant: {names}", f"Give one of them, as in {files[0]}.")


def told(file: Path) -> str | None:
    """Return the split that a file's name tells; None where it tells none."""
    words = re.split(r"[^a-z]+", file.stem.lower())
    return next((name for name, aliases in NAMES.items() if any(alias in words for alias in aliases)), None)


def rows_of_split(
    rows: Sequence[tuple[int, Mapping[str, Any]]], split: str, file: Path
) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the rows, each with its number, that belong to ``split``: all of them where they don't say to which.

    Where others say it, a row that doesn't, as one that lost its picture, belongs to the split that the file is called
    after, else to whichever is asked for: it is never in none. :class:`InputError` where the file's name tells another
    split, or none of its rows belongs to it.
    """
    if split == ALL:
        return list(rows)
    splits = _splits_of([row for _, row in rows])
    name = told(file)
    if not any(splits):
        if name not in (None, split):
            raise InputError(
                f"{file} is the split {name!r} by its name, not {split!r}", f"Give --split {name}, or its file."
            )
        return list(rows)
    if split not in splits:
        held = ", ".join(sorted({of for of in splits if of}))
        raise InputError(f"{file} has no row of the split {split!r}: its rows are of {held}", "Give one of these.")
    rest = name if name and name in splits else split
    return [row for row, of in zip(rows, splits, strict=True) if (of or rest) == split]


def _splits_of(rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """The split that each row tells: VQA-RAD's published file, where rows of the test are told from all others, by how
    they were phrased; PathVQA by the picture's name."""
    phrases = [row.get("phrase_type") for row in rows]
    tested = [isinstance(phrase, str) and phrase.startswith("test_") for phrase in phrases]
    if any(tested):
        return ["test" if each else "train" for each in tested]
    return [_split_of_picture(row.get("image")) for row in rows]


def _split_of_picture(name: Any) -> str | None:
    match = _OF_PICTURE.fullmatch(name) if isinstance(name, str) else None
    return split_named(match[1]) if match else None


def _named(folder: Path, split: str) -> list[Path]:
    """The files that are called after a split, the nearest first: test.json, test_qa.pkl, qas/test/test_qa.pkl,
    and LXMERT's qas/test_vqa.pkl."""
    for word in NAMES.get(split, (split,)):
        for place in (folder, folder / "qas" / word, folder / "qas", folder / word):
            files = [place / f"{word}{tail}{ending}" for tail in ("", "_qa", "_vqa") for ending in _ENDINGS]
            files = [file for file in files if file.is_file()]
            if files:
                return files
    return []
