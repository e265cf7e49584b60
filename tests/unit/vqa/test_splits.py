"""Which file of a folder, and which rows of a file, are a split."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.vqa.read import read
from tests import question_sets


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
