"""The rows of a set's file, in every way in which they are written."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.vqa.read import read
from tests import question_sets


@pytest.mark.parametrize(
    "rows",
    [
        [{"image": "test_0001", "question": "Are glands seen?", "answer": "No"}],
        {"image": ["test_0001"], "question": ["Are glands seen?"], "answer": ["No"]},
        {"images": ["test_0001"], "questions": ["Are glands seen?"], "answers": ["No"]},
    ],
)
def test_path_vqa_flat_and_as_lists_that_go_together(tmp_path: Path, rows: Any) -> None:
    question_sets.picture(tmp_path / "pictures/test_0001.jpg")
    file = tmp_path / "test.json"
    file.write_text(json.dumps(rows))
    (item,) = read(file, "test", images=tmp_path / "pictures").items
    assert (item.id, item.question, item.answer, item.closed) == (1, "Are glands seen?", "No", True)
    assert item.images == ("test_0001.jpg",)


def test_path_vqa_in_lxmerts_form(tmp_path: Path) -> None:
    question_sets.picture(tmp_path / "images/test_0001.jpg")
    label = {"a vein": 0.3, "the canals": 1.0}
    row = {"img_id": "test_0001", "sent": "Where is it?", "label": label, "question_id": 100422000}
    (tmp_path / "test_vqa.pkl").write_bytes(pickle.dumps([row]))
    (item,) = read(tmp_path, "test").items
    assert (item.question, item.answer, item.closed) == ("Where is it?", "the canals", False)


def test_a_pickle_that_names_a_class_is_refused(tmp_path: Path) -> None:
    question_sets.picture(tmp_path / "a.png")
    row = {"image": "a.png", "question": "Where?", "answer": Path("x")}
    (tmp_path / "test_qa.pkl").write_bytes(pickle.dumps([row]))
    with pytest.raises(InputError, match="no pickle of plain lists: it names pathlib"):
        read(tmp_path, "test")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("test.json", b'[{"qid": 1, "image_na', "not valid JSON"),
        ("test.json", b"[]", "holds no examples"),
        ("test.json", b'[{"prompt": "a"}]', "is no set that is known; its first row has prompt"),
        ("test.json", b'{"image": ["a"], "question": [], "answer": ["no"]}', "don't go with each other"),
        ("test_qa.pkl", b"\x80\x04\x95", "no pickle of plain lists"),
        ("test_qa.pkl", pickle.dumps([]), "holds no list of rows"),
        ("test_qa.pkl", pickle.dumps([1]), "is not an object"),
    ],
)
def test_a_file_that_is_none_gets_one_clear_error(tmp_path: Path, name: str, text: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(InputError, match=message):
        read(tmp_path, "test")
    with pytest.raises(InputError, match="There is no file or folder"):
        read(tmp_path / "nowhere", "test")


@pytest.mark.parametrize(
    ("label", "answers"),
    [
        ({"a": float("nan"), "b": 0.5}, ["b"]),
        ({"a": "much", "b": 0.5, "c": 1}, ["c"]),
        ({"a": 0.0}, []),
        ({float("nan"): 1.0}, []),
        ({}, []),
        (None, []),
    ],
)
def test_an_answer_of_lxmerts_has_a_weight(tmp_path: Path, label: object, answers: list[str]) -> None:
    question_sets.picture(tmp_path / "images/test_0001.jpg")
    rows = [{"img_id": "test_0001", "sent": "Where?", "label": each} for each in ({"here": 1.0}, label)]
    (tmp_path / "test_vqa.pkl").write_bytes(pickle.dumps(rows))
    dataset = read(tmp_path, "test")
    assert [item.answer for item in dataset.items] == ["here", *answers]
    assert [row.reason for row in dataset.left_out] == ["it has no answer"] * (1 - len(answers))
