"""Whose a conversation is: every way to something of it, tried by its owner, by whom it is shared with, by others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from edgekit.errors import InputError, NotAllowed, NotHere
from edgekit.ward.access import reach
from edgekit.ward.ward import Ward
from tests.wards import Picture


@dataclass(frozen=True)
class Case:
    """A conversation with a picture and a turn."""

    ward: Ward
    conversation: str
    picture: str
    turn: str


@pytest.fixture
def case(ward: Ward) -> Case:
    for name in ("ada", "bo", "cy", "di"):
        ward.accounts.add(name, "admin" if name == "di" else "doctor")
    conversation = ward.conversations.create("account 1", "knee").id
    picture = ward.pictures.add("account 1", conversation, Picture()).id
    turn = ward.turns.add("account 1", conversation, "Is it broken?", [picture]).id
    ward.turns.finish(turn, "No.", "whole")
    ward.shares.give("account 1", conversation, ward.accounts.named("bo"), may_ask=True)
    ward.shares.give("account 1", conversation, ward.accounts.named("cy"), may_ask=False)
    return Case(ward, conversation, picture, turn)


READS: dict[str, Callable[[Case, str], object]] = {
    "conversation": lambda case, owner: case.ward.conversations.of(owner, case.conversation),
    "list": lambda case, owner: case.ward.conversations.list(owner),
    "search": lambda case, owner: case.ward.conversations.list(owner, "broken"),
    "turns": lambda case, owner: case.ward.turns.of(owner, case.conversation),
    "turn": lambda case, owner: case.ward.turns.named(owner, case.conversation, case.turn),
    "a turn's conversation": lambda case, owner: case.ward.turns.conversation_of(owner, case.turn),
    "pictures": lambda case, owner: case.ward.pictures.of(owner, case.conversation),
    "picture": lambda case, owner: case.ward.pictures.named(owner, case.conversation, case.picture),
    "shares": lambda case, owner: case.ward.shares.of(owner, case.conversation),
}
WRITES: dict[str, tuple[str, Callable[[Case, str], object]]] = {
    "read a picture's file": ("own ask read", lambda c, o: c.ward.pictures.file(o, c.conversation, c.picture)),
    "give feedback": ("own ask read", lambda c, o: c.ward.feedback.give(o, c.turn, "right")),
    "ask": ("own ask", lambda c, o: c.ward.turns.add(o, c.conversation, "And now?", [c.picture])),
    "add a picture": ("own ask", lambda c, o: c.ward.pictures.add(o, c.conversation, Picture(b"other"))),
    "write the report": ("own ask", lambda c, o: c.ward.conversations.change(o, c.conversation, report="a")),
    "change the label": ("own", lambda c, o: c.ward.conversations.change(o, c.conversation, label="a", report="b")),
    "share it": ("own", lambda c, o: c.ward.shares.give(o, c.conversation, c.ward.accounts.named("di"), True)),
    "withdraw it": ("own", lambda c, o: c.ward.shares.withdraw(o, c.conversation, c.ward.accounts.named("bo"))),
    "delete it": ("own", lambda c, o: c.ward.conversations.delete(o, c.conversation)),
}
OWNERS = {"account 1": "own", "account 2": "ask", "account 3": "read"}
STRANGERS = ["account 4", "account 11", "this machine", "token ward-7 1a2b", "", "account 1 ", "ACCOUNT 1", "%", "ada"]


@pytest.mark.parametrize("read", READS)
def test_who_reaches_it_sees_it_and_nobody_else(case: Case, read: str) -> None:
    for owner in OWNERS:
        assert READS[read](case, owner)
    for owner in STRANGERS:
        assert not READS[read](case, owner)


@pytest.mark.parametrize("write", WRITES)
def test_who_may_does_it_and_nobody_else(case: Case, write: str) -> None:
    allowed, do = WRITES[write]
    for owner in STRANGERS:
        with pytest.raises(NotHere):
            do(case, owner)
    for owner in sorted(OWNERS, reverse=True):  # the owner last, who may delete it
        if OWNERS[owner] in allowed.split():
            do(case, owner)
        else:
            with pytest.raises(NotAllowed):
                do(case, owner)


@pytest.mark.parametrize("action", [*READS, *WRITES])
def test_what_was_withdrawn_is_nobodys_but_the_owners(case: Case, action: str) -> None:
    case.ward.shares.withdraw("account 1", case.conversation, case.ward.accounts.named("bo"))
    if action in READS:
        assert not READS[action](case, "account 2")
    else:
        with pytest.raises(NotHere):
            WRITES[action][1](case, "account 2")


def test_an_id_of_another_conversation_leads_nowhere(case: Case) -> None:
    """One's own conversation is no way to another's picture or turn."""
    ward, mine = case.ward, case.ward.conversations.create("account 4").id
    assert ward.pictures.named("account 4", mine, case.picture) is None
    assert ward.turns.named("account 4", mine, case.turn) is None
    for attempt in (
        lambda: ward.pictures.file("account 4", mine, case.picture),
        lambda: ward.pictures.remove("account 4", mine, case.picture),
        lambda: ward.turns.add("account 4", mine, "?", [case.picture]),
    ):
        with pytest.raises(InputError, match=r"no such picture|not in its conversation"):
            attempt()
    assert ward.turns.of("account 4", mine) == ()
    assert ward.conversations.list("account 4", before=case.conversation) == ()


def test_a_removed_account_has_its_shares_no_more(case: Case) -> None:
    case.ward.remove_account(case.ward.accounts.named("bo"))
    assert [share.name for share in case.ward.shares.of("account 1", case.conversation)] == ["cy"]


def test_what_is_reached_has_its_key(case: Case) -> None:
    reached = reach(case.ward.database, "account 2", case.conversation)
    assert (len(reached.key), reached.access) == (32, "ask")
    assert case.conversation not in str(NotHere)
    with pytest.raises(InputError) as caught:
        reach(case.ward.database, "account 4", case.conversation)
    assert case.conversation not in str(caught.value)
