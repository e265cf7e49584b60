"""Questions about pictures with their answers, as data sets hold them: LLaVA's conversations, or rows like VQA-RAD's.

Pictures are named, not opened here: who uses an example reads its picture with
:func:`~edgekit.inputs.images.load_image`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgekit.errors import InputError

_MARK = "<image>"
_FORMS = (
    'LLaVA\'s form is a list of {"image": "x.jpg", "conversations": [{"from": "human", "value": …}, …]}, '
    'VQA-RAD\'s a list of {"image_name", "question", "answer"}.'
)


@dataclass(frozen=True)
class Example:
    """A question, the file of the picture that it is about (None: text alone), and its answer where one is known."""

    question: str
    image: Path | None
    answer: str | None


def read_examples(path: Path) -> list[Example]:
    """Every example of a ``.json`` or ``.jsonl`` file, or of the one such file in a folder, in the file's order.

    A conversation of several turns gives an example a turn. A picture lies in the file's folder or in the folder
    ``images`` beside it. :class:`InputError` for what is missing or of another form, and for a picture that is missing
    or named outside the folder.
    """
    file = _file(path)
    found = [example for at, row in enumerate(_rows(file), 1) for example in _examples(row, file, at)]
    if not found:
        raise InputError(f"{file} holds no examples", _FORMS)
    return found


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"There is no file or folder {path}", "Give a JSON file of examples, or the folder with one.")
    files = sorted(one for one in path.iterdir() if one.suffix in (".json", ".jsonl") and one.is_file())
    if not files:
        raise InputError(f"{path} holds no JSON file", "Give the file of examples itself.")
    if len(files) > 1:
        names = ", ".join(one.name for one in files[:8])
        raise InputError(f"{path} holds several JSON files: {names}", f"Give one of them, as in {files[0]}.")
    return files[0]


def _rows(file: Path) -> list[Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}", "Check its permissions.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text: {error}", "Save it as UTF-8.") from None
    try:
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}", "Correct the file at that place.") from None
    if not isinstance(rows, list):
        raise InputError(f"{file} holds {type(rows).__name__}, not a list of examples", _FORMS)
    return rows


def _examples(row: Any, file: Path, at: int) -> Iterator[Example]:
    where = f"Entry {at} of {file}"
    if not isinstance(row, Mapping):
        raise InputError(f"{where} is not an object", _FORMS)
    named = row.get("image", row.get("image_name"))
    image = None if named is None else _image(named, file.parent, where)
    if "conversations" in row:
        yield from _turns(row["conversations"], image, where)
        return
    question = row.get("question")
    if not isinstance(question, str) or not _plain(question):
        raise InputError(f"{where} has no question", _FORMS)
    yield Example(_plain(question), image, _answer(row.get("answer"), where))


def _turns(conversation: Any, image: Path | None, where: str) -> Iterator[Example]:
    """Each question of people's with the answer that follows it; what a system says is the template's matter."""
    if not isinstance(conversation, list) or not all(isinstance(turn, Mapping) for turn in conversation):
        raise InputError(f"{where}: 'conversations' is not a list of turns", _FORMS)
    asked: str | None = None
    found = False
    for turn in conversation:
        speaker, value = turn.get("from"), turn.get("value")
        if speaker == "human":
            if asked is not None:
                yield Example(asked, image, None)
            if not isinstance(value, str) or not _plain(value):
                raise InputError(f"{where} has a turn without a question", _FORMS)
            asked, found = _plain(value), True
        elif speaker == "gpt" and asked is not None:
            yield Example(asked, image, _answer(value, where))
            asked = None
    if asked is not None:
        yield Example(asked, image, None)
    if not found:
        raise InputError(f"{where} has no question", _FORMS)


def _plain(question: str) -> str:
    """The question without the mark that says where its picture stands."""
    return question.replace(_MARK, "").strip()


def _answer(value: Any, where: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError(f"{where} has an answer that is no text", _FORMS)
    return str(value).strip()


def _image(name: Any, folder: Path, where: str) -> Path:
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError(f"{where} names its picture by what is no text", _FORMS)
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        raise InputError(f"{where} names a picture outside its folder: {name!r}", "Put the pictures beside the file.")
    for place in (folder / name, folder / "images" / name):
        if place.is_file():
            return place
    raise InputError(
        f"{where}: there is no picture {name!r} in {folder}", f"Put it there, or into {folder / 'images'}."
    )
