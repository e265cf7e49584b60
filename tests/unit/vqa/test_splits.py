"""Which file of a folder, and which rows of a file, are a split."""

from __future__ import annotations

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
