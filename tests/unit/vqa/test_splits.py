"""Which file of a folder, and which rows of a file, are a split."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.vqa.read import read
from edgekit.vqa.splits import rows_of_split
from tests import question_sets

SPLITS = ("test", "train")


@pytest.mark.parametrize("split", ["validation", "val", "7"])
def test_a_split_that_is_not_there_is_refused(tmp_path: Path, split: str) -> None:
    with pytest.raises(InputError, match="its rows are of test, train"):
        read(question_sets.vqa_rad(tmp_path), split)


def test_a_file_that_is_called_after_another_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the split 'test' by its name"):
        read(question_sets.slake(tmp_path), "train")
    with pytest.raises(InputError, match="holds no file of the split 'validation'"):
        read(tmp_path, "val")
    with pytest.raises(InputError, match="The split has no name"):
        read(tmp_path, " ")


def test_several_files_that_may_be_meant_are_named(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(InputError, match=r"several files that may be meant: a\.json, b\.json"):
        read(tmp_path, "test")


def test_a_stray_file_beside_a_set_is_not_taken_for_one(tmp_path: Path) -> None:
    file = question_sets.vqa_rad(tmp_path)
    (tmp_path / "a licence.json").write_text('{"licence": "CC0"}')
    (tmp_path / "notes.json").write_text('[{"note": "none"}]')
    assert read(tmp_path, "test").source == file


@pytest.mark.parametrize(("split", "ids"), [("train", ["1", "2", "3"]), ("test", ["4", "5"]), ("all", list("12345"))])
def test_vqa_rad_in_two_files_as_it_is_handed_round(tmp_path: Path, split: str, ids: list[str]) -> None:
    question_sets.vqa_rad(tmp_path).unlink()
    rows = question_sets.vqa_rad_rows()
    (tmp_path / "trainset.json").write_text(json.dumps(rows[:3]))
    (tmp_path / "testset.json").write_text(json.dumps([{**row, "phrase_type": "freeform"} for row in rows[3:]]))
    assert [item.id for item in read(tmp_path, split).items] == ids
    with pytest.raises(InputError, match="is the split 'test' by its name"):
        read(tmp_path / "testset.json", "train")


def test_lxmerts_file_beside_pathvqas_pictures(tmp_path: Path) -> None:
    question_sets.path_vqa(tmp_path)
    rows = [{"img_id": "test_0001", "sent": "Are glands seen?", "label": {"yes": 1.0}}]
    (tmp_path / "qas/test/test_qa.pkl").unlink()
    (tmp_path / "qas/test_vqa.pkl").write_bytes(pickle.dumps(rows))
    dataset = read(tmp_path, "test")
    assert (dataset.form, dataset.items[0].images) == ("pathvqa", ("test/test_0001.jpg",))


@pytest.mark.parametrize("changes", [{"image": None}, {"image": float("nan")}, {"image": ["test_0001"]}])
@pytest.mark.parametrize("name", ["test_qa.pkl", "qa.pkl"])
def test_a_row_whose_picture_tells_no_split_does_not_vanish(
    tmp_path: Path, changes: dict[str, object], name: str
) -> None:
    file = question_sets.path_vqa(tmp_path) / "qas/test" / name
    row = {"image": "test_0001", "question": "Are glands seen?", "answer": "yes"}
    file.write_bytes(pickle.dumps([row, {**row, **changes}]))
    dataset = read(file, "test")
    assert {item.id for item in dataset.items} | {row.id for row in dataset.left_out} == {1, 2}


def test_a_row_that_tells_no_split_is_of_its_files(tmp_path: Path) -> None:
    row = {"question": "Is it?", "answer": "no"}
    images = enumerate(("test_1", "train_1", None), 1)
    rows: list[tuple[int, dict[str, Any]]] = [(number, {**row, "image": image}) for number, image in images]
    numbers = {split: [number for number, _ in rows_of_split(rows, split, Path("test.json"))] for split in SPLITS}
    assert numbers == {"test": [1, 3], "train": [2]}
    unnamed = [number for number, _ in rows_of_split(rows, "train", Path("questions.json"))]
    assert unnamed == [2, 3]
