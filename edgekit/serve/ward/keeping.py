"""What a service does for what it keeps: what is kept for a time goes when that is over, and a little of the disk stays
set aside."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from edgekit.serve.caller import Caller
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.callers import caller_in
from edgekit.serve.ward.desk import Desk
from edgekit.serve.ward.keeper import Store

if TYPE_CHECKING:
    from edgekit.ward.expiry import Expired

log = logging.getLogger("edgekit.serve")

TICK_S = 3600.0
"""What passed since the last tick when a device goes off does not count."""
RESERVE_S = 60.0
"""How often it is looked whether there is room again for what is set aside; a question looks at once."""


async def expire(desk: Desk) -> None:
    """Count the time that passes, and delete what ``serve.toml`` keeps no longer, as long as the service runs."""
    while True:
        if desk.keeper.is_there:
            await _tick(desk)
        await asyncio.sleep(TICK_S)


async def set_aside(desk: Desk) -> None:
    """Have a little of the disk set aside for when it is full, as long as the service runs."""
    while True:
        await asyncio.sleep(RESERVE_S)
        if desk.keeper.is_there:
            with suppress(Refusal):  # its reason is in the log
                await desk.keeper.call(lambda store: store.room.reserve.take(), eases=False)


async def _tick(desk: Desk) -> None:
    days = desk.service.settings.keep.days

    def tick(store: Store) -> tuple[Expired, ...]:
        from edgekit.ward.expiry import Expiry

        return Expiry(store.ward, store.audit, days).tick()

    try:
        expired = await desk.keeper.call(tick)
    except Refusal:  # its reason is in the log
        return
    for conversation in expired:
        desk.forget(conversation.owner)
        for other in conversation.others:
            desk.writing.withdraw(conversation.id, other)
            desk.forget(caller_in(Caller(other), conversation.owner).id)
    if expired:
        log.info("%d conversations that nobody changed for %d days are deleted", len(expired), days)
