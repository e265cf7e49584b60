"""What the service remembers of an account goes with it, also where a terminal removes it while the service runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator

from edgekit.serve.caller import Caller
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.callers import caller_in
from edgekit.serve.ward.desk import Desk
from edgekit.serve.ward.keeper import Store

log = logging.getLogger("edgekit.serve")

LOOK_S = 5.0
"""How long what is removed is remembered at most, beside what its answers take to end."""


async def forget_removed(desk: Desk) -> None:
    """Look every few seconds which accounts are gone, and have nothing of theirs be reused, as long as the service
    runs. Answers that are being written in their conversations end.
    """
    seen: frozenset[str] = frozenset()
    while True:
        if desk.keeper.is_there:
            try:
                accounts = await desk.keeper.call(_accounts, eases=False)
                if gone := seen - accounts:
                    await _forget(desk, gone, seen | await desk.keeper.call(_owners, eases=False))
                seen = accounts
            except Refusal:  # its reason is in the log
                pass
        await asyncio.sleep(LOOK_S)


async def _forget(desk: Desk, gone: Iterable[str], everybody: Iterable[str]) -> None:
    for owner in gone:
        for written in desk.writing.of_owner(owner):
            await desk.writing.stop(written)
        for caller in _callers(owner, everybody):
            desk.service.forget(caller)
        log.info("An account was removed; nothing of it is remembered any more")


def _callers(owner: str, everybody: Iterable[str]) -> Iterator[str]:
    """As whom an owner may have asked, and others in what was his."""
    yield owner
    for other in everybody:
        if other != owner:
            yield caller_in(Caller(owner), other).id
            yield caller_in(Caller(other), owner).id


def _accounts(store: Store) -> frozenset[str]:
    return frozenset(account.owner for account in store.ward.accounts.all())


def _owners(store: Store) -> frozenset[str]:
    return store.ward.conversations.owners()
