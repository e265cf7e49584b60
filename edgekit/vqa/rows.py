"""The rows of a set's file: JSON, JSON a line, lists that go with each other by their place, or PathVQA's pickles.

PathVQA is published as pickles of plain lists. A pickle can run anything as it is read; here one is read that names no
class at all, and refused where it does.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.inputs.examples import read_rows

PICKLES = (".pkl", ".pickle")
_COLUMNS = {"image": ("image", "images"), "question": ("question", "questions"), "answer": ("answer", "answers")}
_PLAIN = "Give the set's own file: a list of rows, as JSON or as PathVQA's pickles hold it."


def rows_of(file: Path) -> list[Mapping[str, Any]]:
    """Return the rows of a set's file, one at least; :class:`InputError` for what is none."""
    if file.suffix in PICKLES:
        return _checked(_unpickled(file), file)
    if file.suffix == ".json" and (columns := _columns(file)) is not None:
        return columns
    return read_rows(file)


class _Plain(pickle.Unpickler):
    """Reads lists, mappings, texts and numbers."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _unpickled(file: Path) -> Any:
    try:
        return _Plain(io.BytesIO(file.read_bytes())).load()
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}", "Check its permissions.") from None
    except Exception as error:  # a pickle that is cut or no pickle raises nearly anything
        raise InputError(f"{file} is no pickle of plain lists: {str(error) or type(error).__name__}", _PLAIN) from None


def _checked(value: Any, file: Path) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{file} holds no list of rows", _PLAIN)
    for number, row in enumerate(value, 1):
        if not isinstance(row, Mapping) or not all(isinstance(key, str) for key in row):
            raise InputError(f"Entry {number} of {file} is not an object", _PLAIN)
    return [_of_lxmert(row) if "sent" in row else row for row in value]


def _of_lxmert(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row in LXMERT's form in PathVQA's own: the answer is the one of the largest weight, None without any."""
    label = row.get("label")
    weights = label if isinstance(label, Mapping) else {}
    weighed = {text: weight for text, weight in weights.items() if isinstance(weight, int | float) and weight > 0}
    return {
        "image": row.get("img_id"),
        "question": row["sent"],
        "answer": max(weighed, key=weighed.__getitem__, default=None),
    }


def _columns(file: Path) -> list[Mapping[str, Any]] | None:
    """The rows of a JSON object of three lists that go with each other by their place; None where it is none."""
    try:
        with file.open("rb") as opened:
            if not opened.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                return None
        value = json.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None  # read_rows says what is wrong with it
    lists = {name: next((value[key] for key in keys if key in value), None) for name, keys in _COLUMNS.items()}
    if not isinstance(value, dict) or not all(isinstance(column, list) for column in lists.values()):
        return None
    lengths = {name: len(column or ()) for name, column in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{count} of '{name}'" for name, count in lengths.items())
        raise InputError(f"{file} holds lists that don't go with each other: {said}", _PLAIN)
    return [dict(zip(lists, row, strict=True)) for row in zip(*(lists[name] or () for name in lists), strict=True)]
