"""Whoever asked, a turn is recalled with all that the model was shown, and with nothing that is gone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edgekit.ward.audit.recall import recall
from edgekit.ward.ward import Ward


def _picture(content: bytes) -> Any:
    return SimpleNamespace(file=content, media_type="image/png", facts={}, notes=(), warnings=())


def test_the_turns_before_come_with_their_pictures(ward: Ward) -> None:
    id = ward.conversations.create("account 7").id
    pictures = [ward.pictures.add("account 7", id, _picture(content)).id for content in (b"one", b"two")]
    first = ward.turns.add("account 7", id, "first?", pictures[:1])
    ward.turns.finish(first.id, "yes", "whole")
    failed = ward.turns.add("account 7", id, "failed?")
    ward.turns.finish(failed.id, "", "failed")
    asked = ward.turns.add("account 7", id, "asked?", pictures[::-1])
    ward.turns.add("account 7", id, "after?")
    recalled = recall(ward, asked.id)
    assert recalled
    assert [turn.question for turn in recalled.turns] == ["first?", "asked?"]
    assert recalled.files == ((b"one",), (b"two", b"one"))
    assert recalled.asked.id == asked.id


def test_what_was_deleted_is_not(ward: Ward) -> None:
    id = ward.conversations.create("account 7").id
    turn = ward.turns.add("account 7", id, "first?")
    assert recall(ward, "nowhere") is None
    ward.keyring.destroy(id)
    assert recall(ward, turn.id) is None, "the row is there, and its key is not"
    ward.conversations.remove_deleted()
    assert recall(ward, turn.id) is None
