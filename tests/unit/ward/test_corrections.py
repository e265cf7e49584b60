"""What doctors said, as training data: right rows, nothing of who and when, whole or not at all."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgekit.errors import DiskFull, EdgeKitError
from edgekit.inputs.examples import read_examples
from edgekit.inputs.images import load_image
from edgekit.ward.audit.audit import Audit
from edgekit.ward.corrections import ExportedFeedback, export_feedback, question_type, weigh
from edgekit.ward.feedback import Verdict, Word
from edgekit.ward.ward import Ward
from tests.audits import silent
from tests.wards import Picture

ME, BO, CY = "account 1", "account 2", "account 3"
Votes = list[tuple[Word, str]]


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (4, 4), shade).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit.open(tmp_path / "audit", bytes(32), tell=silent)


@pytest.fixture
def ask(ward: Ward) -> Callable[..., str]:
    """Ask and answer in a conversation that all share; each says his word."""
    people = [ward.accounts.add(name, "doctor") for name in ("ada", "bo", "cy")]

    def ask(question: str, answer: str, votes: Votes, shades: tuple[int, ...] = (7,), conversation: str = "") -> str:
        if not conversation:
            conversation = ward.conversations.create(ME, "Mrs Miller", "from Dr Smith").id
            for person in people[1:]:
                ward.shares.give(ME, conversation, person, may_ask=True)
        pictures = [ward.pictures.add(ME, conversation, Picture(png(shade))).id for shade in shades]
        turn = ward.turns.add(ME, conversation, question, pictures, bundle="sha256").id
        ward.turns.finish(turn, answer, "whole")
        for person, (word, text) in zip(people, votes, strict=False):
            ward.feedback.give(person.owner, turn, word, text)
        return conversation

    return ask


def rows(folder: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((folder / "feedback.json").read_text())
    return sorted(read, key=lambda row: str(row["conversations"][0]["value"]))


def test_what_they_agree_on_is_what_training_takes(
    ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path
) -> None:
    ask("A: is it broken?", "No.", [("right", ""), ("right", "")])
    ask("B: where?", "Left.", [("answer", "On the right"), ("wrong", ""), ("answer", "on the right.")], shades=(9,))
    ask("C: what is a fracture?", "A break.", [("right", "")], shades=())
    ask("D: nobody says a word", "So.", [])
    folder = tmp_path / "out"
    assert export_feedback(ward, audit, "terminal root", folder) == ExportedFeedback(folder, 3, 0, 2)
    first, second, third = rows(folder)
    assert first["conversations"][1:] == [{"from": "gpt", "value": "No."}]
    assert first["edgekit"] == {
        "model_answer": "No.",
        "verdict": "right",
        "votes_for": 2,
        "votes_against": 0,
        "question_type": "closed",
        "bundle": "sha256",
    }
    assert list(first) == ["id", "image", "conversations", "edgekit"]
    assert second["conversations"] == [
        {"from": "human", "value": "<image>\nB: where?"},
        {"from": "gpt", "value": "On the right"},
    ]
    assert (second["edgekit"]["verdict"], second["edgekit"]["votes_against"]) == ("answer", 3)
    assert "image" not in third
    examples = sorted(read_examples(folder), key=lambda example: example.question)
    assert [example.answer for example in examples] == ["No.", "On the right", "A break."]
    assert examples[1].image
    assert load_image(examples[1].image)


def test_nothing_tells_who_said_it_and_when(ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path) -> None:
    conversation = ask("Is it broken?", "No.", [("right", "")])
    ids = [turn.id for turn in ward.turns.of(ME, conversation)]
    ids += [picture.id for picture in ward.pictures.of(ME, conversation)]
    export_feedback(ward, audit, "terminal root", tmp_path / "out")
    text = " ".join(path.name for path in (tmp_path / "out").rglob("*")) + (tmp_path / "out/feedback.json").read_text()
    stored = [path.name for path in (tmp_path / "state/pictures").rglob("*") if path.is_file()]
    for word in ("Miller", "Smith", "account", "ada", "18000", conversation, *ids, *stored):
        assert word not in text


def test_rows_come_in_no_order(ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path) -> None:
    conversation = ""
    for number in range(12):
        conversation = ask(f"{number:02}?", "No.", [("right", "")], conversation=conversation)
    folder = tmp_path / "out"
    assert export_feedback(ward, audit, "terminal root", folder).pictures == 1, (
        "a picture that they share is there once"
    )
    questions = [row["conversations"][0]["value"] for row in json.loads((folder / "feedback.json").read_text())]
    assert questions != sorted(questions)
    assert len({row["id"] for row in rows(folder)}) == 12


def test_what_they_do_not_agree_on_lies_apart(
    ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path
) -> None:
    ask("A?", "No.", [("right", ""), ("answer", "Yes."), ("answer", "yes")])
    ask("B?", "No.", [("wrong", "")])
    ask("C?", "No.", [("right", "")], shades=(1, 2))
    ask("D?", "No.", [("right", "")])
    folder = tmp_path / "out"
    assert export_feedback(ward, audit, "terminal root", folder) == ExportedFeedback(folder, 1, 3, 5)
    third, first, second = rows(folder / "undecided")  # the marks come first
    assert [turn["value"] for turn in first["conversations"]] == ["<image>\nA?", "No.", "Yes."]
    assert (first["edgekit"]["verdict"], first["edgekit"]["votes_for"], first["edgekit"]["votes_against"]) == (
        "disputed",
        1,
        2,
    )
    assert [turn["from"] for turn in second["conversations"]] == ["human"]
    assert second["edgekit"]["verdict"] == "wrong"
    assert third["conversations"][0]["value"] == "<image>\n<image>\nC?"
    assert len(third["image"]) == 2
    assert all((folder / "undecided" / image).exists() for image in third["image"])
    assert len(read_examples(folder)) == 1


@pytest.mark.parametrize(
    ("votes", "verdict", "answers", "agree"),
    [
        ([("right", "")], "right", ("No.",), True),
        ([("right", ""), ("answer", "no")], "right", ("No.",), True),
        ([("answer", "Yes"), ("answer", "the yes.")], "answer", ("Yes",), True),
        ([("wrong", ""), ("answer", "Yes")], "answer", ("Yes",), True),
        ([("right", ""), ("wrong", "")], "disputed", ("No.",), False),
        ([("answer", "a few"), ("answer", "two"), ("answer", "Two")], "disputed", ("two", "a few"), False),
        ([("wrong", ""), ("wrong", "")], "wrong", (), False),
    ],
)
def test_how_votes_are_weighed(votes: Votes, verdict: str, answers: tuple[str, ...], agree: bool) -> None:
    outcome = weigh("No.", [Verdict(word, text) for word, text in votes])
    assert (outcome.verdict, outcome.answers, outcome.agree) == (verdict, answers, agree)
    assert outcome.votes_for + outcome.votes_against == len(votes)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Yes.", "closed"),
        ("No, none", "closed"),
        ("Oui", "closed"),
        ("نعم", "closed"),
        ("Nothing", "open"),
        ("", "open"),
    ],
)
def test_a_closed_question_is_answered_by_yes_or_no(answer: str, kind: str) -> None:
    assert question_type([answer]) == kind


def test_texts_that_would_break_the_file_do_not(
    ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path
) -> None:
    ask("<image> broken \udcff?", "No \udcff.", [("right", "")], shades=())
    export_feedback(ward, audit, "terminal root", tmp_path / "out")
    (example,) = read_examples(tmp_path / "out")
    assert example.question == "broken ??"


def test_it_is_whole_or_not_there(
    ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def refuse(self: Audit, *event: object, **facts: object) -> None:
        raise EdgeKitError("The audit can't be written")

    ask("A?", "No.", [("right", "")])
    folder = tmp_path / "out"
    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr(Path, "write_bytes", full)
        export_feedback(ward, audit, "terminal root", folder)
    with monkeypatch.context() as patch, pytest.raises(EdgeKitError, match="audit"):
        patch.setattr(Audit, "note", refuse)
        export_feedback(ward, audit, "terminal root", folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit", "state"]
    export_feedback(ward, audit, "terminal root", folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(EdgeKitError, match="exists already"):
        export_feedback(ward, audit, "terminal root", folder)
    (line,) = (json.loads(path.read_text()) for path in (tmp_path / "audit").glob("*.jsonl"))
    assert (line["event"], line["who"], line["count"]) == ("exported", "terminal root", 1)


def test_a_picture_that_is_lost_stops_it(ward: Ward, audit: Audit, ask: Callable[..., str], tmp_path: Path) -> None:
    ask("A?", "No.", [("right", "")])
    for path in (tmp_path / "state/pictures").glob("*/*"):
        os.remove(path)
    with pytest.raises(EdgeKitError, match="can't be read"):
        export_feedback(ward, audit, "terminal root", tmp_path / "out")
    assert not (tmp_path / "out").exists()
