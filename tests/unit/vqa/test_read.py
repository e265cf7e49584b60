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


@pytest.mark.parametrize("name", [None, "", []])
def test_a_row_that_names_no_picture_is_left_out(tmp_path: Path, name: object) -> None:
    rows = question_sets.vqa_rad_rows()
    rows[0]["image_name"] = name
    question_sets.vqa_rad(tmp_path).write_text(json.dumps(rows))
    train = read(tmp_path, "train")
    assert [(row.id, row.reason) for row in train.left_out] == [("1", "it names no picture")]
    turns = [{"from": "human", "value": "Is it?"}, {"from": "gpt", "value": "no"}]
    talk = [{"id": 1, "conversations": turns}, {"id": 2, "image": "images/synpic1.jpg", "conversations": turns}]
    (tmp_path / "talk.json").write_text(json.dumps(talk))
    assert [row.id for row in read(tmp_path / "talk.json", "test").left_out] == [1]


def test_a_row_without_the_key_of_its_picture_is_left_out(tmp_path: Path) -> None:
    rows = question_sets.vqa_rad_rows()
    del rows[0]["image_name"]
    question_sets.vqa_rad(tmp_path).write_text(json.dumps(rows))
    assert [row.id for row in read(tmp_path, "train").left_out] == ["1"]
    file = question_sets.slake(tmp_path / "slake")  # which numbers pictures, too
    first, second = json.loads(file.read_text())
    del first["img_name"]
    file.write_text(json.dumps([first, second]))
    assert [row.id for row in read(file, "test").left_out] == [0]
    file = question_sets.llava(tmp_path / "llava")
    first, second = json.loads(file.read_text())
    del first["image"]  # its question still has the mark
    file.write_text(json.dumps([first, second]))
    assert [row.reason for row in read(file, "test").left_out] == ["it names no picture"]


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_no_number_is_no_answer(tmp_path: Path, number: str) -> None:
    rows = question_sets.vqa_rad_rows()
    rows[2]["answer"] = float(number)
    question_sets.vqa_rad(tmp_path).write_text(json.dumps(rows))
    assert [row.id for row in read(tmp_path, "train").left_out] == ["3"]


def test_a_first_row_that_lacks_keys_does_not_hide_the_form(tmp_path: Path) -> None:
    rows = question_sets.vqa_rad_rows()
    first = {"question": "Is it?", "image_name": "synpic1.jpg"}
    question_sets.vqa_rad(tmp_path).write_text(json.dumps([first, *rows]))
    train = read(tmp_path, "train")
    assert (train.form, [row.reason for row in train.left_out]) == ("vqa-rad", ["it has no answer"])


def test_rows_read_as_another_form_are_told_from_those_that_show_it(tmp_path: Path) -> None:
    file = question_sets.slake(tmp_path)
    assert read(file, "test").looks_like is None
    assert read(file, "test", "slake").looks_like is None
    as_said = read(file, "test", "vqa-rad")
    assert (as_said.form, as_said.looks_like) == ("vqa-rad", "slake")


def test_all_of_a_folder_is_every_split_of_it(tmp_path: Path) -> None:
    question_sets.slake(tmp_path / "slake")
    whole = read(tmp_path / "slake", "all")
    assert ([item.id for item in whole.items], whole.source) == ([2, 0, 1], tmp_path / "slake")
    path = read(question_sets.path_vqa(tmp_path / "path"), "all")
    assert [item.id for item in path.items] == ["train-1", "train-2", "test-1", "test-2"]
    assert all((path.folder / item.images[0]).is_file() for item in path.items)


def test_an_id_that_stands_in_two_splits_is_refused(tmp_path: Path) -> None:
    file = question_sets.slake(tmp_path)
    (tmp_path / "train.json").write_text(file.read_text())
    with pytest.raises(InputError, match=r"Entry 1 of .*train\.json and Entry 1 of .*test\.json have the same id, 0"):
        read(tmp_path, "all")


def test_splits_in_folders_of_their_own_are_asked_one_at_a_time(tmp_path: Path) -> None:
    for split in ("train", "test"):
        question_sets.slake(tmp_path / "of" / split).rename(tmp_path / "of" / split / f"{split}.json")
    with pytest.raises(InputError, match="The splits lie in several folders"):
        read(tmp_path / "of", "all")


def test_vqa_rad_in_the_folders_of_its_archive(tmp_path: Path) -> None:
    question_sets.vqa_rad(tmp_path)
    (tmp_path / "images").rename(tmp_path / "VQA_RAD Image Folder")
    assert read(tmp_path, "test").items[0].images == ("VQA_RAD Image Folder/synpic2.jpg",)


def test_a_picture_whose_ending_is_in_capitals(tmp_path: Path) -> None:
    question_sets.path_vqa(tmp_path)
    (tmp_path / "images/test/test_0001.jpg").rename(tmp_path / "images/test/test_0001.JPG")
    assert read(tmp_path, "test").items[0].images == ("test/test_0001.JPG",)


def test_an_id_that_can_t_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Entry 1 of .* has an id that can't be written"):
        read(_changed(tmp_path, qid="\ud800"), "train")


def test_where_nothing_is_asked_pictures_may_be_missing(tmp_path: Path) -> None:
    file = question_sets.vqa_rad(tmp_path)
    for picture in (tmp_path / "images").iterdir():
        picture.unlink()
    assert [item.images for item in read(file, "test", with_pictures=False).items] == [
        ("synpic2.jpg",),
        ("synpic1.jpg",),
    ]
