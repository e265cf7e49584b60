"""What tells LLaVA's form, in which many sets are written, and whose pictures they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.vqa.read import read
from tests import question_sets


@pytest.mark.parametrize("key", ["conversations", "conversatons"])
def test_llavas_form_by_either_spelling_of_its_key(tmp_path: Path, key: str) -> None:
    dataset = read(question_sets.llava(tmp_path, key), "test")
    assert (dataset.title, dataset.form) == ("LLaVA", "llava")
    assert [(item.id, item.question, item.answer, item.closed) for item in dataset.items] == [
        ("q0", "Is it a chest?", "Yes", True),
        ("q1#1", "What is seen?", "An effusion", False),
        ("q1#2", "On which side?", "Left", False),
    ]


def test_llavas_form_is_called_after_its_pictures(tmp_path: Path) -> None:
    question_sets.picture(tmp_path / "synpic7.jpg")
    turns = [{"from": "human", "value": "Is it?\n<image>"}, {"from": "gpt", "value": "no"}]
    (tmp_path / "test.json").write_text(json.dumps([{"id": 1, "image": "synpic7.jpg", "conversations": turns}]))
    dataset = read(tmp_path, "test")
    assert (dataset.title, dataset.form, dataset.items[0].closed) == ("VQA-RAD", "llava", True)


@pytest.mark.parametrize(
    ("answer", "closed"), [("有", True), ("没有", True), ("否。", True), ("Yes.", True), ("右肺", False)]
)
def test_what_is_closed_where_a_set_does_not_say(tmp_path: Path, answer: str, closed: bool) -> None:
    file = question_sets.slake(tmp_path)
    rows = [{**row, "answer": answer, "answer_type": None} for row in json.loads(file.read_text())]
    file.write_text(json.dumps(rows))
    assert {item.closed for item in read(file, "test").items} == {closed}


def test_a_conversation_set_has_types_and_domains(tmp_path: Path) -> None:
    dataset = read(question_sets.conversation(tmp_path), "all")
    assert (dataset.title, dataset.form) == ("LLaVA-Med's conversations", "conversation")
    assert [(item.id, item.images, item.answer, item.closed) for item in dataset.items] == [
        (0, ("images/a.png",), "A left effusion.", False),
        (1, ("images/a.png",), "On the left.", False),
        (2, ("images/b.png",), "A mass in the liver.", False),
    ]
    assert [(item.question_type, item.modality) for item in dataset.items] == [
        ("conversation", "chest_xray"),
        ("conversation", "chest_xray"),
        ("detailed_description", "ct_scan"),
    ]


@pytest.mark.parametrize(
    ("domain", "named"),
    [({"mri": False, "gross": True, "ct_scan": True}, "gross"), ({"mri": False}, ""), ({"mri": "yes"}, ""), (None, "")],
)
def test_the_first_true_domain_of_a_conversation_counts(tmp_path: Path, domain: object, named: str) -> None:
    file = question_sets.conversation(tmp_path)
    file.write_text(json.dumps({**question_sets.conversation_rows()[0], "domain": domain}))
    assert [item.modality for item in read(file, "all").items] == [named]
