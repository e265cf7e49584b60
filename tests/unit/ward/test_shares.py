"""A case is handed to a colleague, changed, and taken back."""

from __future__ import annotations

import pytest

from edgekit.errors import InputError
from edgekit.ward.accounts import Account
from edgekit.ward.shares import Share
from edgekit.ward.ward import Ward


@pytest.fixture
def people(ward: Ward) -> tuple[Account, Account, Account]:
    ada, bo, cy = (ward.accounts.add(name, "doctor") for name in ("ada", "bo", "cy"))
    return ada, bo, cy


def test_a_share_is_given_changed_and_withdrawn(ward: Ward, people: tuple[Account, ...]) -> None:
    ada, bo, cy = people
    id = ward.conversations.create(ada.owner, "knee").id
    ward.shares.give(ada.owner, id, cy, may_ask=True)
    ward.shares.give(ada.owner, id, bo, may_ask=False)
    expected = (Share(bo.owner, "bo", False), Share(cy.owner, "cy", True))
    assert ward.shares.of(ada.owner, id) == ward.shares.of(bo.owner, id) == expected
    (shared,) = ward.conversations.list(bo.owner)
    assert (shared.label, shared.owner, shared.access) == ("knee", ada.owner, "read")
    ward.shares.give(ada.owner, id, bo, may_ask=True)
    (shared,) = ward.conversations.list(bo.owner)
    assert shared.access == "ask"
    assert ward.shares.withdraw(ada.owner, id, bo)
    assert not ward.shares.withdraw(ada.owner, id, bo)
    assert ward.conversations.list(bo.owner) == ()
    assert ward.shares.of(bo.owner, id) == ()


def test_nobody_shares_with_himself_or_with_who_is_gone(ward: Ward, people: tuple[Account, ...]) -> None:
    ada, bo, _ = people
    id = ward.conversations.create(ada.owner).id
    ward.accounts.disable(bo)
    for account in (ada, ward.accounts.named("bo")):
        with pytest.raises(InputError, match="can't be given"):
            ward.shares.give(ada.owner, id, account, may_ask=True)
