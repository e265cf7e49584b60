"""Which turns the model is shown."""

from __future__ import annotations

from edgekit.ward.history import history
from edgekit.ward.ward import Ward

ME = "account 1"


def test_it_is_shown_what_was_answered_before(ward: Ward) -> None:
    conversation = ward.conversations.create(ME).id
    ids = []
    for answer, state in (("Yes.", "whole"), ("", "stopped"), ("Th", "stopped"), ("x", "failed"), ("No.", "whole")):
        ids.append(ward.turns.add(ME, conversation, "?").id)
        ward.turns.finish(ids[-1], answer, state)  # type: ignore[arg-type]
    last = ward.turns.add(ME, conversation, "?").id
    turns = ward.turns.of(ME, conversation)
    assert [turn.id for turn in history(turns, last)] == [ids[0], ids[2], ids[4], last]
    assert [turn.id for turn in history(turns, ids[2])] == [ids[0], ids[2]]
    assert [turn.id for turn in history(turns, ids[0])] == [ids[0]]
