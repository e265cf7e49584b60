"""Sets of questions, read in the forms in which they are handed round."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.vqa.item import Item
from edgekit.vqa.read import read
from tests import question_sets


def test_vqa_rad_as_it_was_published_holds_both_splits(tmp_path: Path) -> None:
    file = question_sets.vqa_rad(tmp_path)
    test = read(file, "test")
    assert (test.title, test.form, test.split, test.left_out) == ("VQA-RAD", "vqa-rad", "test", ())
    assert test.items == (
        Item(
            id="4",
            question="What is seen, and how?",
            images=("images/synpic2.jpg",),
            answer="Air, diffuse",
            closed=False,
            question_type="ATTRIB, PRES",
            organ="CHEST",
        ),
        Item(
            id="5",
            question="Is it on the left or on the right?",
            images=("images/synpic1.jpg",),
            answer="Left",
            closed=True,
            question_type="POS",
            organ="HEAD",
        ),
    )
    train = read(tmp_path, "train")  # the folder's only file
    assert [(item.id, item.answer, item.closed, item.question_type) for item in train.items] == [
        ("1", "Yes", True, "PRES"),
        ("2", "No", True, "PRES"),
        ("3", "3", False, "COUNT"),
    ]
    assert len(read(file, "all").items) == 5


def test_slake_keeps_languages_apart(tmp_path: Path) -> None:
    question_sets.slake(tmp_path)
    test = read(tmp_path, "test")
    assert (test.title, test.form) == ("SLAKE", "slake")
    assert [(item.id, item.language, item.closed, item.question_type) for item in test.items] == [
        (0, "en", False, "Modality"),
        (1, "zh", True, "Organ"),
    ]
    assert {(item.organ, item.modality, item.images) for item in test.items} == {
        ("Abdomen", "MRI", ("imgs/xmlab1/source.jpg",))
    }
    assert [item.id for item in read(tmp_path, "train").items] == [2]


def test_path_vqa_as_it_is_published(tmp_path: Path) -> None:
    test = read(question_sets.path_vqa(tmp_path), "test")
    assert (test.title, test.form) == ("PathVQA", "pathvqa")
    assert [(item.id, item.answer, item.closed) for item in test.items] == [(1, "yes", True), (2, "the cells", False)]
    assert {item.images for item in test.items} == {("test/test_0001.jpg",)}
    assert all((test.folder / item.images[0]).is_file() for item in test.items)
    assert {item.images for item in read(tmp_path, "train").items} == {("train/train_0001.jpg",)}


def test_rows_that_can_t_be_asked_are_left_out_and_named(tmp_path: Path) -> None:
    rows = question_sets.vqa_rad_rows()
    rows[0]["image_name"], rows[1]["answer"] = "synpic9.jpg", ""
    question_sets.vqa_rad(tmp_path).write_text(json.dumps(rows))
    train = read(tmp_path, "train")
    assert [item.id for item in train.items] == ["3"]
    assert [row.id for row in train.left_out] == ["1", "2"]
    assert "synpic9.jpg" in train.left_out[0].reason
    assert train.left_out[1].reason == "it has no answer"


def _changed(tmp_path: Path, **changes: Any) -> Path:
    file = question_sets.vqa_rad(tmp_path)
    rows = [{**row, **changes} for row in question_sets.vqa_rad_rows()]
    file.write_text(json.dumps(rows))
    return file


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Entries 1 and 2 of .* have the same id, '7'"):
        read(_changed(tmp_path, qid="7"), "train")


def test_a_set_without_any_of_its_pictures_says_how_to_name_their_folder(tmp_path: Path) -> None:
    file = question_sets.vqa_rad(tmp_path / "set")
    os.rename(tmp_path / "set/images", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="No row of") as raised:
        read(file, "test")
    assert "--images" in raised.value.hint
    assert len(read(file, "test", images=tmp_path / "elsewhere").items) == 2
    with pytest.raises(InputError, match="There is no folder"):
        read(file, "test", images=tmp_path / "nowhere")


def test_a_form_can_be_given(tmp_path: Path) -> None:
    file = question_sets.vqa_rad(tmp_path)
    assert [item.id for item in read(file, "test", "pathvqa").items] == [4, 5]
