"""The forms in which sets are handed round: what tells each from the others, and what its rows say beside a question
and its answer.

* VQA-RAD (Lau et al. 2018): ``qid``, ``image_name``, ``image_organ``, ``question_type`` and ``answer_type``; in the
  published file ``phrase_type`` begins with ``test_`` in rows of the test split. A few rows write the types with a
  blank, or misspell them.
* SLAKE (Liu et al. 2021): ``qid``, ``img_name``, ``q_lang``, ``location``, ``modality``, ``content_type``,
  ``answer_type``.
* PathVQA (He et al. 2020): ``image`` without its ending, ``question``, ``answer``; no ids, a row is known by its
  place. A question is closed where its answer is yes or no. In the form of LXMERT, ``img_id``, ``sent`` and
  ``label``, a mapping of the answer to its weight.
* LLaVA's: ``id``, ``image``, ``conversations`` (or ``conversatons``), and in the sets of LLaVA-Med ``answer_type``.
* LLaVA-Med's conversation set (Li et al. 2023): ``question_id``, ``image``, ``text``, ``gpt4_answer``, ``type``, and
  ``domain``, a mapping of booleans of which the first true one counts. Its questions are answered at length: all open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.vqa.dataset import FileForm
from edgekit.vqa.item import Item

Row = Mapping[str, Any]
_MISSPELT = {"PRSE": "PRES", "ATRIB": "ATTRIB"}
_LANGUAGES = ("en", "zh")
_YES_NO = ("yes", "no", "是", "不是", "否", "有", "没有", "无")
_TURNS = ("conversations", "conversatons")
_OF_PICTURES = {
    "VQA-RAD": re.compile(r"synpic\d+"),
    "SLAKE": re.compile(r"(.*/)?xmlab\d+(/source)?"),
    "PathVQA": re.compile(r"(.*/)?(train|val|test)_\d+"),
}


@dataclass(frozen=True)
class Labels:
    """What a row says beside its question: the fields of an :class:`~edgekit.vqa.item.Item` of these names."""

    closed: bool
    question_type: str = ""
    organ: str = ""
    modality: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Kind:
    """A form: its ``title``, the keys by which a row gives its ``ids``, what recognises a row, and reads its labels."""

    title: str
    ids: tuple[str, ...]
    claims: Callable[[Row], bool]
    labels: Callable[[Row, str], Labels]


def form_of(rows: Iterable[Row]) -> FileForm | None:
    """Return the form of a set by the first of its rows that shows it; None where none shows one that is known."""
    return next((form for row in rows for form, kind in KINDS.items() if kind.claims(row)), None)


def title_of(form: FileForm, items: tuple[Item, ...]) -> str:
    """Return what people call a set: by its form, and in LLaVA's, in which many are written, by its pictures' names."""
    if form != "llava":
        return KINDS[form].title
    names = [re.sub(r"\.\w+$", "", image) for item in items for image in item.images]
    for title, name in _OF_PICTURES.items():
        if names and all(name.fullmatch(each) for each in names):
            return title
    return KINDS[form].title


def is_closed(answer: str) -> bool:
    """Whether an answer is yes or no, in English or SLAKE's Chinese: what makes a question closed where its set does
    not say."""
    return answer.strip().rstrip(".。").lower() in _YES_NO


def _word(row: Row, key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def _closed(row: Row, answer: str) -> bool:
    said = _word(row, "answer_type").upper()
    return said == "CLOSED" if said in ("CLOSED", "OPEN") else is_closed(answer)


def _vqa_rad(row: Row, answer: str) -> Labels:
    words = [word.strip().upper() for word in _word(row, "question_type").split(",")]
    types = sorted({_MISSPELT.get(word, word) for word in words if word})
    return Labels(_closed(row, answer), ", ".join(types), _word(row, "image_organ").upper())


def _slake(row: Row, answer: str) -> Labels:
    language = _word(row, "q_lang").lower()
    return Labels(
        _closed(row, answer),
        _word(row, "content_type"),
        _word(row, "location"),
        _word(row, "modality"),
        language if language in _LANGUAGES else "en",
    )


def _pathvqa(row: Row, answer: str) -> Labels:
    return Labels(is_closed(answer))


def _llava(row: Row, answer: str) -> Labels:
    return Labels(_closed(row, answer))


def _conversation(row: Row, answer: str) -> Labels:
    domains = row.get("domain")
    named = domains if isinstance(domains, Mapping) else {}
    return Labels(False, _word(row, "type"), modality=next((str(name) for name, of in named.items() if of is True), ""))


KINDS: dict[FileForm, Kind] = {
    "conversation": Kind(
        "LLaVA-Med's conversations", ("question_id",), lambda row: "gpt4_answer" in row, _conversation
    ),
    "llava": Kind("LLaVA", ("id", "question_id"), lambda row: any(key in row for key in _TURNS), _llava),
    "slake": Kind(
        "SLAKE", ("qid",), lambda row: "img_name" in row and ("q_lang" in row or "content_type" in row), _slake
    ),
    "vqa-rad": Kind(
        "VQA-RAD",
        ("qid",),
        lambda row: "image_name" in row and ("qid" in row or "answer_type" in row),
        _vqa_rad,
    ),
    "pathvqa": Kind("PathVQA", (), lambda row: "answer" in row and "question" in row and "image" in row, _pathvqa),
}
