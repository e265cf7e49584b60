"""In another's conversation one is a caller of one's own, who shares slots as himself."""

from __future__ import annotations

from edgekit.serve.caller import Caller
from edgekit.serve.ward.callers import caller_in


def test_in_ones_own_conversation_one_is_oneself() -> None:
    caller = Caller("token ward-7", batch=True, holder="1a2b")
    assert caller_in(caller, caller.id) is caller


def test_what_is_anothers_is_remembered_with_neither_ones_own_nor_his() -> None:
    ben = Caller("account 2")
    ids = {caller_in(ben, owner).id for owner in ("account 2", "account 1", "account 3")}
    ids |= {caller_in(Caller(name), "account 2").id for name in ("account 1", "account 3")}
    ids |= {caller_in(Caller("token ward-7", holder=holder), "account 2").id for holder in ("1a", "2b")}
    assert len(ids) == 7
    assert caller_in(ben, "account 1").share == ben.share
    assert caller_in(Caller("token ward-7", batch=True, holder="1a"), "account 1").batch
