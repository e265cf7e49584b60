"""Which file of a folder, and which rows of a file, are a split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.vqa.rows import PICKLES

ALL = "all"
NAMES = {"train": ("train",), "validation": ("validation", "validate", "valid", "val"), "test": ("test",)}
_ENDINGS = (".json", ".jsonl", *PICKLES)
_OF_PICTURE = re.compile(r"(?:.*/)?(train|val|test)_\d+(?:\.\w+)?")


def split_named(split: str) -> str:
    """Return a split by its one name: "val" and "validate" are "validation"; :class:`InputError` for an empty one."""
    word = split.strip().lower()
    if not word:
        raise InputError("The split has no name", "Give --split train, validation, test or all.")
    return next((name for name, words in NAMES.items() if word in words), word)


def split_file(path: Path, split: str) -> Path:
    """Return the file of ``split``: ``path`` itself, or the one in that folder that is named so, else its only one.

    :class:`InputError` where there is none, or several.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"There is no file or folder {path}", "Give a set's file, or the folder with it.")
    named = _named(path, split)
    files = named or sorted(file for file in path.iterdir() if file.suffix in _ENDINGS and file.is_file())
    files = files if named else [file for file in files if told(file) in (None, split) or split == ALL]
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

    :class:`InputError` where the file's name tells another split, or none of its rows belongs to it.
    """
    if split == ALL:
        return list(rows)
    splits = [_split_of(row) for _, row in rows]
    if any(splits):
        inside = [row for row, of in zip(rows, splits, strict=True) if (of or "train") == split]
        if not inside:
            held = ", ".join(sorted({of or "train" for of in splits}))
            raise InputError(f"{file} has no row of the split {split!r}: its rows are of {held}", "Give one of these.")
        return inside
    of = told(file)
    if of not in (None, split):
        raise InputError(f"{file} is the split {of!r} by its name, not {split!r}", f"Give --split {of}, or its file.")
    return list(rows)


def _split_of(row: Mapping[str, Any]) -> str | None:
    """The split that a row tells: VQA-RAD's published file by how it was phrased, PathVQA's by the picture's name."""
    phrase = row.get("phrase_type")
    if isinstance(phrase, str) and phrase.startswith("test_"):
        return "test"
    image = row.get("image")
    match = _OF_PICTURE.fullmatch(image) if isinstance(image, str) else None
    return split_named(match[1]) if match else None


def _named(folder: Path, split: str) -> list[Path]:
    """The files that are called after a split, the nearest first: test.json, test_qa.pkl, qas/test/test_qa.pkl."""
    for word in NAMES.get(split, (split,)):
        for place in (folder, folder / "qas" / word, folder / word):
            files = [place / f"{word}{tail}{ending}" for tail in ("", "_qa") for ending in _ENDINGS]
            files = [file for file in files if file.is_file()]
            if files:
                return files
    return []
