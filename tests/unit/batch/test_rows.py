"""Lists as wards and data sets write them, and what can't be meant in one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgekit.batch.rows import Batch, Row, read_batch
from edgekit.errors import InputError


def written(folder: Path, *rows: Any, name: str = "list.jsonl") -> Path:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / name


def test_rows_have_their_own_ids_or_their_numbers(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"id": "ward 7", "question": " Why? ", "image": "a.png"},
        {"question": "What changed?", "images": ["a.png", "old/b.dcm"]},
        {"id": 12, "question": "What is CT?"},
    )
    assert read_batch(path).rows == (
        Row("ward 7", "Why?", ("a.png",), tmp_path),
        Row(2, "What changed?", ("a.png", "old/b.dcm"), tmp_path),
        Row(12, "What is CT?", (), tmp_path),
    )


def test_a_picture_need_not_be_there_and_lies_where_data_sets_have_it(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.jpg").touch()
    (row, lost) = read_batch(written(tmp_path, *({"question": "?", "image": name} for name in ("b", "c.jpg")))).rows
    assert (row.images, lost.images) == (("images/b.jpg",), ("c.jpg",))
    assert row.files == (tmp_path / "images/b.jpg",)


def test_each_turn_of_a_conversation_is_a_row(tmp_path: Path) -> None:
    turns = [("human", "One?\n<image>"), ("gpt", "1"), ("human", "Two?")]
    conversation = [{"from": speaker, "value": value} for speaker, value in turns]
    path = written(tmp_path, *({**id, "image": "a.png", "conversations": conversation} for id in ({"id": "x"}, {})))
    assert [(row.id, row.question) for row in read_batch(path).rows] == [
        ("x#1", "One?"), ("x#2", "Two?"), ("2#1", "One?"), ("2#2", "Two?")
    ]  # fmt: skip


def test_a_judge_s_question_has_its_id(tmp_path: Path) -> None:
    (row,) = read_batch(written(tmp_path, {"question_id": 5, "image": "a.png", "text": "Is it?\n<image>"})).rows
    assert (row.id, row.question) == (5, "Is it?")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "?"}, {"image": "a.png"}], "Entry 2 of .* has no question"),
        ([{"id": "x", "question": "?"}, {"question": "?"}, {"id": "x", "question": "!"}], "Entries 1 and 3 .* id, x"),
        ([{"id": 2, "question": "?"}, {"question": "!"}], "Entries 1 and 2 of .* have the same id, 2"),
        ([{"id": True, "question": "?"}], "Entry 1 of .* has an id that is neither"),
        ([{"id": ["x"], "question": "?"}], "Entry 1 of .* has an id that is neither"),
        ([{"id": "\ud800", "question": "?"}], "Entry 1 of .* has an id that can't be written"),
        ([{"question": "?"}, {"question": "?", "image": "../a.png"}], "Entry 2 of .* outside its folder"),
        (["?"], "Entry 1 of .* is not an object"),
        ([], "holds no examples"),
    ],
)
def test_what_cannot_be_meant_is_named_by_its_row(rows: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_batch(written(tmp_path, *rows))
    assert caught.value.hint


def test_every_picture_of_a_folder_is_asked_and_what_is_none_is_named(tmp_path: Path) -> None:
    for name in ("b.png", "study/IM0001", "study/a.PNG", ".hidden.png", ".git/c.png", "DICOMDIR", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "study" / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "plain").write_bytes(b"\x89PNG")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    batch = read_batch(tmp_path, " Describe. ")
    names = ["b.png", "gone.png", "plain", "study/IM0001", "study/a.PNG"]
    assert batch.rows == tuple(Row(name, "Describe.", (name,), tmp_path) for name in names)
    assert batch.left_out == ("DICOMDIR", "notes.txt")


def test_what_lies_there_and_what_was_asked_have_to_fit(tmp_path: Path) -> None:
    path = written(tmp_path, {"question": "?"})
    for place, question, message in (
        (tmp_path, None, "no question is given"),
        (tmp_path, " ", "no question is given"),
        (tmp_path, "Why?", "holds no pictures"),
        (path, "Why?", "has questions of its own"),
        (tmp_path / "none", None, "There is no file or folder"),
    ):
        with pytest.raises(InputError, match=message):
            read_batch(place, question)


def test_answers_go_beside_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Batch(tmp_path / "day.jsonl", ()).out == tmp_path / "day.answers.jsonl"
    (tmp_path / "ct.2026").mkdir()
    monkeypatch.chdir(tmp_path / "ct.2026")
    assert Batch(Path("."), ()).out == tmp_path / "ct.2026.answers.jsonl"


def test_neighbours_share_their_pictures(tmp_path: Path) -> None:
    rows = [Row(number, "?", images, tmp_path) for number, images in enumerate([("a",), ("b",), (), ("a",), ("b",)])]
    assert [row.id for row in Batch(tmp_path, tuple(rows)).neighbours()] == [0, 3, 1, 4, 2]
