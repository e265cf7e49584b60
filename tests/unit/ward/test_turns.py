"""Turns: a question is kept before anything answers it, and its answer as far as it came."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.files import write_bytes
from edgekit.ward.feedback import Verdict
from edgekit.ward.ward import Ward
from tests.wards import START_S, Clock, Picture, open_ward

ME = "account 1"
PARAMS = {"temperature": 0.5, "top_k": 3, "stop": ["a"], "logit_bias": {"7": 1.0}, "seed": None}


@pytest.fixture
def conversation(ward: Ward) -> str:
    return ward.conversations.create(ME).id


def test_a_question_is_kept_with_all_that_its_answer_comes_from(ward: Ward, conversation: str, clock: Clock) -> None:
    pictures = [ward.pictures.add(ME, conversation, Picture(content)).id for content in (b"b", b"a")]
    clock.go(5)
    turn = ward.turns.add(
        ME, conversation, "Où ?\n\udcff", pictures[::-1], PARAMS, seed=2**63, bundle="sha", language="fr"
    )
    assert (turn.number, turn.state, turn.question, turn.answer) == (1, "waiting", "Où ?\n\udcff", "")
    assert turn.pictures == tuple(pictures[::-1])
    assert (turn.params, turn.seed, turn.bundle, turn.language) == (PARAMS, 2**63, "sha", "fr")
    assert (turn.by, turn.created_s, turn.verdict, turn.confidence) == (ME, START_S + 5, None, None)
    assert ward.turns.of(ME, conversation) == (turn,)
    kept = ward.conversations.of(ME, conversation)
    assert kept
    assert (kept.turns, kept.pictures, kept.changed_s) == (1, 2, START_S + 5)


def test_an_answer_comes_and_ends(ward: Ward, conversation: str) -> None:
    turn = ward.turns.add(ME, conversation, "?").id
    assert ward.turns.write(turn, "There")
    writing = ward.turns.named(ME, conversation, turn)
    assert writing
    assert (writing.state, writing.answer) == ("writing", "There")
    ended = {"tokens": 3, "prompt_tokens": 9, "notes": ["cut"], "confidence": 0.25}
    assert ward.turns.finish(turn, "There is none.", "whole", **ended)  # type: ignore[arg-type]
    whole = ward.turns.named(ME, conversation, turn)
    assert whole
    assert (whole.state, whole.answer, whole.tokens, whole.prompt_tokens) == ("whole", "There is none.", 3, 9)
    assert (whole.notes, whole.confidence) == (("cut",), 0.25)
    assert not ward.turns.write(turn, "late")
    assert not ward.turns.finish(turn, "late", "stopped")
    assert ward.turns.named(ME, conversation, turn) == whole
    assert not ward.turns.finish("nowhere", "", "whole")


def test_turns_are_numbered_and_conversation_of_one_is_known(ward: Ward, conversation: str) -> None:
    turns = [ward.turns.add(ME, conversation, str(number)).id for number in range(3)]
    assert [(turn.id, turn.number) for turn in ward.turns.of(ME, conversation)] == [
        (id, number + 1) for number, id in enumerate(turns)
    ]
    assert ward.turns.conversation_of(ME, turns[1]) == conversation


def test_a_picture_that_is_not_there_stops_the_question(ward: Ward, conversation: str) -> None:
    with pytest.raises(InputError, match="not in its conversation"):
        ward.turns.add(ME, conversation, "?", ["nowhere"])
    assert ward.turns.of(ME, conversation) == ()


def test_an_answer_to_what_was_deleted_is_dropped(ward: Ward, conversation: str) -> None:
    turn = ward.turns.add(ME, conversation, "?").id
    ward.conversations.delete(ME, conversation)
    assert not ward.turns.finish(turn, "secret", "whole")


def test_a_crash_leaves_failed_turns_and_what_had_come(tmp_path: Path) -> None:
    with open_ward(tmp_path, serving=True) as ward:
        conversation = ward.conversations.create(ME).id
        waiting, writing, whole = (ward.turns.add(ME, conversation, "?").id for _ in range(3))
        ward.turns.write(writing, "Ther")
        ward.turns.finish(whole, "Yes.", "whole")
    with open_ward(tmp_path) as ward:
        assert [turn.state for turn in ward.turns.of(ME, conversation)] == ["waiting", "writing", "whole"]
    with open_ward(tmp_path, serving=True) as ward:
        states = {turn.id: (turn.state, turn.answer) for turn in ward.turns.of(ME, conversation)}
    assert states == {waiting: ("failed", ""), writing: ("failed", "Ther"), whole: ("whole", "Yes.")}


def test_each_sees_his_own_verdict(ward: Ward, conversation: str) -> None:
    _, bo = (ward.accounts.add(name, "doctor") for name in ("ada", "bo"))
    ward.shares.give(ME, conversation, bo, may_ask=False)
    turn = ward.turns.add(ME, conversation, "?").id
    ward.turns.finish(turn, "!", "whole")
    ward.feedback.give(bo.owner, turn, "answer", "Yes.")
    verdicts = [ward.turns.of(owner, conversation)[0].verdict for owner in (ME, bo.owner)]
    assert verdicts == [None, Verdict("answer", "Yes.")]


def median_ms(do: Callable[[], object]) -> float:
    passed_ms = []
    for _ in range(40):
        start = time.perf_counter()
        do()
        passed_ms.append(1000 * (time.perf_counter() - start))
    return statistics.median(passed_ms)


def test_a_question_is_durable_in_20_ms_typically(ward: Ward, conversation: str, tmp_path: Path) -> None:
    """Or in what a busy disk takes for a few small writes of its own."""
    turn_ms = median_ms(lambda: ward.turns.add(ME, conversation, "Is there a pleural effusion? " * 4, (), PARAMS))
    disk_ms = median_ms(lambda: write_bytes(tmp_path / "small", b"x" * 4096))
    assert turn_ms < max(20, 5 * disk_ms)
