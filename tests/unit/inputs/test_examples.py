"""Examples in the forms that data sets have, and one clear error for every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.inputs.examples import Example, read_examples
from edgekit.phantom.folder import write_folder


def written(folder: Path, rows: Any, name: str = "train.json") -> Path:
    folder.mkdir(exist_ok=True)
    for picture in ("a.png", "images/b.png"):
        (folder / picture).parent.mkdir(exist_ok=True)
        (folder / picture).touch()
    (folder / name).write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return folder / name


def said(*turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {**more, "conversations": [{"from": speaker, "value": value} for speaker, value in turns]}


def test_vqa_rad_rows(tmp_path: Path) -> None:
    rows = [
        {"image_name": "b.png", "question": "Is it? ", "answer": "Yes"},
        {"image_name": "a.png", "question": "How many?", "answer": 3},
        {"question": "What is CT?"},
    ]
    assert read_examples(written(tmp_path, rows)) == [
        Example("Is it?", tmp_path / "images/b.png", "Yes"),
        Example("How many?", tmp_path / "a.png", "3"),
        Example("What is CT?", None, None),
    ]


def test_a_conversation_gives_an_example_a_turn(tmp_path: Path) -> None:
    row = said(
        ("system", "Be brief."), ("human", "<image>\nOne?"), ("gpt", "1"), ("human", "Two?\n<image>"), ("gpt", "2"),
        ("human", "Three?"), image="images/b.png",
    )  # fmt: skip
    image = tmp_path / "images/b.png"
    assert read_examples(written(tmp_path, [row])) == [
        Example("One?", image, "1"),
        Example("Two?", image, "2"),
        Example("Three?", image, None),
    ]


def test_a_folder_stands_for_the_one_file_in_it(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"question": text, "answer": "yes"}) for text in ("One?", "Two?"))
    written(tmp_path, lines + "\n\n", "all.jsonl")
    assert [one.question for one in read_examples(tmp_path)] == ["One?", "Two?"]
    written(tmp_path, [])
    with pytest.raises(InputError, match=r"several JSON files: all\.jsonl, train\.json"):
        read_examples(tmp_path)


@pytest.mark.parametrize("form", ["llava", "vqa-rad"])
def test_phantoms_are_read_as_they_were_written(form: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "p", form, count=2)
    found = read_examples(folder.path)
    assert len(found) == folder.questions == 12
    assert all(one.image is not None and one.image.is_file() and one.answer for one in found)
    assert "<image>" not in found[0].question


WRONG: list[tuple[Any, str]] = [
    ("[", "not valid JSON"),
    ({"a": 1}, "holds dict, not a list"),
    ([], "holds no examples"),
    ([3], "Entry 1 .* is not an object"),
    ([{"question": "One?"}, {"answer": "x"}], "Entry 2 .* has no question"),
    ([{"question": " <image> "}], "has no question"),
    ([{"question": "x", "answer": {}}], "answer that is no text"),
    ([{"question": "x", "image": "c.png"}], r"there is no picture 'c\.png'"),
    ([{"question": "x", "image": "../a.png"}], "outside its folder"),
    ([{"question": "x", "image": "/etc/hostname"}], "outside its folder"),
    ([{"question": "x", "image": "a\0.png"}], "no text"),
    ([{"question": "x", "image": 3}], "no text"),
    ([said(("gpt", "x"))], "has no question"),
    ([said(("human", "<image>"))], "without a question"),
    ([{"conversations": "x"}], "not a list of turns"),
]


@pytest.mark.parametrize(("rows", "message"), WRONG, ids=lambda value: str(value)[:30])
def test_whatever_else_is_one_clear_error(rows: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_examples(written(tmp_path / "d", rows))
    assert error.value.hint


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        read_examples(tmp_path / "none")
    with pytest.raises(InputError, match="holds no JSON"):
        read_examples(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe[]")
    with pytest.raises(InputError, match="not UTF-8"):
        read_examples(tmp_path)
