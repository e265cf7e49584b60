"""Questions about pictures with their answers, as data sets hold them: LLaVA's conversations, or rows like VQA-RAD's.

Which key holds what differs: SLAKE names pictures by ``img_name``, LLaVA-Med spells ``conversatons``, its judge's
questions are ``text`` with a ``gpt4_answer``. Pictures are named, not opened here: who uses an example reads its
picture with :func:`~edgekit.inputs.images.load_image`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.inputs.named import check_keys, picture_of

_MARK = "<image>"
_FORMS = (
    'LLaVA\'s form is a list of {"image": "x.jpg", "conversations": [{"from": "human", "value": …}, …]}, '
    'VQA-RAD\'s a list of {"image_name", "question", "answer"}.'
)
_CONVERSATIONS = ("conversations", "conversatons")  # the second is LLaVA-Med's own spelling
_QUESTIONS = ("question", "text")
_ANSWERS = ("answer", "gpt4_answer")


@dataclass(frozen=True)
class Example:
    """A question, the file of the picture that it is about (None: text alone), and its answer where one is known."""

    question: str
    image: Path | None
    answer: str | None


def read_examples(path: Path) -> list[Example]:
    """Read every example of a ``.json`` or ``.jsonl`` file, or of the one such file in a folder, in the file's order.

    A conversation of several turns gives an example a turn. A picture lies in the file's folder or in the folder
    ``images`` or ``imgs`` beside it. :class:`InputError` for what is missing or of another form, and for a picture
    that is not one file in there (:func:`~edgekit.inputs.named.picture_of`).
    """
    file = _file(path)
    examples = []
    for number, row in enumerate(read_rows(file), 1):
        entry = f"Entry {number} of {file}"
        image = picture_of(row, file.parent, entry)
        turns = turns_of(row, () if image is None else (image,), entry)
        examples += [Example(question, image, answer) for question, answer in turns]
    return examples


def read_rows(file: Path) -> list[Mapping[str, Any]]:
    """Return the entries of a JSON file (``.json``, ``.jsonl``), one at least; :class:`InputError` for no object."""
    rows = _rows(file)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise InputError(f"Entry {number} of {file} is not an object", _FORMS)
    if not rows:
        raise InputError(f"{file} holds no examples", _FORMS)
    return rows


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"There is no file or folder {path}", "Give a JSON file of examples, or the folder with one.")
    files = sorted(file for file in path.iterdir() if file.suffix in (".json", ".jsonl") and file.is_file())
    if not files:
        raise InputError(f"{path} holds no JSON file", "Give the file of examples itself.")
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:8])
        raise InputError(f"{path} holds several JSON files: {names}", f"Give one of them, as in {files[0]}.")
    return files[0]


def _rows(file: Path) -> list[Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}", "Check its permissions.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file} is not UTF-8 text: {error}", "Save it as UTF-8 JSON, the pictures beside it."
        ) from None
    try:
        rows = list(_lines(text)) if file.suffix == ".jsonl" or _holds_lines(text) else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}", "Correct the file at that place.") from None
    if not isinstance(rows, list):
        raise InputError(f"{file} holds {type(rows).__name__}, not a list of examples", _FORMS)
    return rows


def _lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"in line {number}: {error}") from None


def _holds_lines(text: str) -> bool:
    """Whether a file holds an object a line, as Hugging Face's ``to_json`` writes into a .json file, too."""
    first, _, rest = text.strip().partition("\n")
    return first.rstrip().endswith("}") and first.startswith("{") and rest.lstrip().startswith("{")


def turns_of(row: Mapping[str, Any], pictures: Sequence[Path], entry: str) -> list[tuple[str, str | None]]:
    """Return the questions of an entry about ``pictures``, each with its answer, where one is known.

    :class:`InputError`, which begins with ``entry``, for what is of another form, or is no text.
    """
    conversation = _first(row, _CONVERSATIONS)
    if conversation is not None:
        turns = list(_turns(conversation, pictures, entry))
    else:
        question = _first(row, _QUESTIONS)
        if not isinstance(question, str) or not _plain(question):
            raise InputError(f"{entry} has no question", _FORMS)
        _check_marks(question, pictures, entry)
        turns = [(_plain(question), _answer(_first(row, _ANSWERS), entry))]
    _check_texts(turns, entry)
    return turns


def _check_texts(turns: list[tuple[str, str | None]], entry: str) -> None:
    """Refuse what JSON can escape and no text can hold: one half of a pair of surrogates."""
    try:
        for question, answer in turns:
            f"{question}{answer}".encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise InputError(f"{entry} holds {half}, which is half a character", "Write that character whole.") from None


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _check_marks(question: str, pictures: Sequence[Path], entry: str) -> None:
    marks = question.count(_MARK)
    if marks > max(1, len(pictures)) or (marks and not pictures):
        asked = f"{marks} pictures" if marks > 1 else "a picture, and names none"
        raise InputError(f"{entry} asks about {asked}", "Name each picture by 'image', one a question.")


def _turns(conversation: Any, pictures: Sequence[Path], entry: str) -> Iterator[tuple[str, str | None]]:
    """Each question of people's with the answer that follows it; what a system says is the template's matter."""
    if not isinstance(conversation, list) or not all(isinstance(turn, Mapping) for turn in conversation):
        raise InputError(f"{entry}: 'conversations' is not a list of turns", _FORMS)
    asked: str | None = None
    has_question = False
    for turn in conversation:
        speaker, value = turn.get("from"), turn.get("value")
        check_keys(turn, pictures, entry)
        if speaker == "human":
            if asked is not None:
                yield asked, None
            if not isinstance(value, str) or not _plain(value):
                raise InputError(f"{entry} has a turn without a question", _FORMS)
            _check_marks(value, pictures, entry)
            asked, has_question = _plain(value), True
        elif speaker == "gpt" and asked is not None:
            yield asked, _answer(value, entry)
            asked = None
        elif speaker not in ("gpt", "system"):
            raise InputError(f"{entry} has a turn from {str(speaker)[:40]!r}, not from 'human' or 'gpt'", _FORMS)
    if asked is not None:
        yield asked, None
    if not has_question:
        raise InputError(f"{entry} has no question", _FORMS)


def _plain(question: str) -> str:
    """The question without the mark that says where its picture stands."""
    return question.replace(_MARK, "").strip()


def _answer(value: Any, entry: str) -> str | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):  # tables without an answer write NaN
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError(f"{entry} has an answer that is no text", _FORMS)
    return str(value).strip()
