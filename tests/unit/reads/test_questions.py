"""Each row of docs/reads.md on question files, held against a file of that form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.inputs.examples import Example, read_examples
from tests.reads import rows

ROWS = rows("Question files")
ASKED = {"question": "Is it?", "answer": "yes"}
TURNS = [{"from": "human", "value": "<image>\nIs it?"}, {"from": "gpt", "value": "yes"}]
TWO = [*TURNS, {"from": "human", "value": "Two?"}, {"from": "gpt", "value": "2"}]
ONE, SECOND = ("Is it?", "images/a.jpg", "yes"), ("Two?", "images/a.jpg", "2")

FORMS: dict[str, tuple[Any, list[tuple[str, str | None, str]]]] = {
    "VQA-RAD's rows: `image_name`, `question`, `answer`": ([{"image_name": "a.jpg", **ASKED}], [ONE]),
    "SLAKE's rows: `img_name`, in `imgs/`; either `q_lang`": (
        [{"img_id": 1, "img_name": "xmlab1/source.jpg", "q_lang": lang, **ASKED} for lang in ("en", "zh")],
        [("Is it?", "imgs/xmlab1/source.jpg", "yes")] * 2,
    ),
    "PathVQA's rows: `image` without its ending, `question`, `answer`": ([{"image": "a", **ASKED}], [ONE]),
    "LLaVA's `image` and `conversations`": ([{"image": "a.jpg", "conversations": TWO}], [ONE, SECOND]),
    "LLaVA-Med's `conversatons`": ([{"image": "a.jpg", "conversatons": TWO}], [ONE, SECOND]),
    "the judge's questions: `text`, `gpt4_answer`": (
        [{"question_id": 1, "image": "a.jpg", "text": "Is it?\n<image>", "gpt4_answer": "yes"}],
        [ONE],
    ),
    "a picture by `img`, `image_path`, `file_name`, `image_id`": (
        [{key: "a.jpg", **ASKED} for key in ("img", "image_path", "file_name", "image_id")],
        [ONE] * 4,
    ),
    "a list of one picture": ([{"images": ["a.jpg"], **ASKED}], [ONE]),
    "a question without a picture": ([ASKED], [("Is it?", None, "yes")]),
    "an object a line, in .jsonl or .json": (
        f"{json.dumps(ASKED)}\n{json.dumps(ASKED)}",
        [("Is it?", None, "yes")] * 2,
    ),
    "a list of several pictures": ([{"images": ["a.jpg", "b.jpg"], **ASKED}], []),
    "different pictures by several keys": ([{"image": "a.jpg", "img_name": "b.jpg", **ASKED}], []),
    "a picture's number alone (`image_id: 102`)": ([{"image_id": 102, **ASKED}], []),
    "a picture by a key of another name": ([{"file": "a.jpg", **ASKED}], []),
    "a picture in one of the turns": ([{"conversations": [{"from": "human", "value": "x", "image": "a.jpg"}]}], []),
    'Hugging Face\'s `{"bytes", "path"}`': ([{"image": {"bytes": "AAAA", "path": "a.jpg"}, **ASKED}], []),
    "base64, a `data:` address": ([{"image": "data:image/png;base64,iVBORw0KGgo=", **ASKED}], []),
    "an address on the net": ([{"image": "https://example.org/a.jpg", **ASKED}], []),
    "a path outside the folder": ([{"image": "../a.jpg", **ASKED}], []),
    "a picture that is not there": ([{"image": "c.jpg", **ASKED}], []),
    "`<image>` in a question, and no picture named": ([{"conversations": TURNS}], []),
    'turns from others than "human", "gpt", "system"': ([{"conversations": [{"from": "user", "value": "x"}]}], []),
}


def test_every_row_has_a_file() -> None:
    assert FORMS.keys() == ROWS.keys()


@pytest.mark.parametrize("form", ROWS)
def test_it_is_read_as_the_page_says(form: str, tmp_path: Path) -> None:
    for picture in ("images/a.jpg", "images/b.jpg", "imgs/xmlab1/source.jpg"):
        (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / picture).touch()
    content, expected = FORMS[form]
    verdict, _, note = ROWS[form].partition(": ")
    assert bool(expected) == (verdict == "read")
    for name in ("data.json", "data.jsonl") if isinstance(content, str) else ("data.json",):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        if verdict == "refused":
            with pytest.raises(InputError) as caught:
                read_examples(file)
            assert note in caught.value.message
            assert caught.value.hint
        else:
            places = [None if path is None else tmp_path / path for _, path, _ in expected]
            examples = [Example(row[0], place, row[2]) for row, place in zip(expected, places, strict=True)]
            assert read_examples(file) == examples
