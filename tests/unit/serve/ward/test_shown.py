"""What is shown of what is kept: names for owners, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import NotHere
from edgekit.serve.settings import Settings
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.shown import conversation_of, show, show_picture, show_turn, show_whole, turn_of
from tests.toy_service import TOY_FACTS, toy_kept

ANNA, BEN = "account 1", "account 2"


@pytest.fixture
def store(state: Path) -> Iterator[Store]:
    opened = Store.open(state, Settings())
    for name in ("anna", "ben"):
        opened.ward.accounts.add(name, "doctor")
    yield opened
    opened.ward.close()


def test_a_conversation_is_shown_by_names(store: Store) -> None:
    id = store.ward.conversations.create(ANNA, "<b>bed</b>").id
    store.ward.shares.give(ANNA, id, store.ward.accounts.named("ben"), may_ask=False)
    own, shared = [show(store, conversation_of(store, owner, id)) for owner in (ANNA, BEN)]
    assert (own.owner, own.access, own.label) == ("anna", "own", "<b>bed</b>")
    assert (shared.owner, shared.access) == ("anna", "read")
    assert own.created.endswith("Z")
    assert [share.name for share in show_whole(store, ANNA, id).shares] == ["ben"]
    assert show_whole(store, BEN, id).shares == [], "whom else it is shown to is for its owner"
    with pytest.raises(NotHere):
        conversation_of(store, "account 3", id)


def test_an_answer_that_nobody_writes_any_more_has_failed(store: Store) -> None:
    id = store.ward.conversations.create(ANNA).id
    turn = store.ward.turns.add(ANNA, id, "What is it?")
    assert show_turn(store, turn, is_running=True).state == "waiting"
    assert show_turn(store, turn).state == "failed"
    store.ward.turns.finish(turn.id, "A rib.", "whole", tokens=3, confidence=0.25)
    shown = show_turn(store, turn_of(store, ANNA, id, turn.id))
    assert (shown.state, shown.answer, shown.by, shown.confidence) == ("whole", "A rib.", "anna", {"yes": 0.25})
    with pytest.raises(NotHere):
        turn_of(store, BEN, id, turn.id)


def test_of_a_picture_only_that_is_shown_which_is_known(store: Store) -> None:
    id = store.ward.conversations.create(ANNA).id
    picture = show_picture(store.ward.pictures.add(ANNA, id, toy_kept(b"x", replace(TOY_FACTS, body_part=""))))
    assert (picture.width, picture.height, picture.facts) == (4, 3, {"modality": "CR"})
    assert (picture.notes, picture.warnings) == (["A note."], ["burned_in"])
