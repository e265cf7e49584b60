"""Who reads an answer as it is written, and whether he still may: a stream outlasts what let it begin.

A conversation that is taken back is read no further at once, and neither is anything a few seconds after a session
ended, was locked, or lost its account, whoever had that done and where.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.keeper import Keeper

if TYPE_CHECKING:
    from edgekit.ward.sessions import Session

LOOK_S = 2.0
"""How often a session is looked at while its reader does nothing but read."""


class Reader:
    """Reads while ``may_read`` says so, and the session of ``secret`` ("": none) lasts in the store of ``keeper``."""

    def __init__(self, may_read: Callable[[], bool], keeper: Keeper, secret: str) -> None:
        self._may_read = may_read
        self._keeper = keeper
        self._secret = secret
        self._looked_s = time.monotonic()

    async def require(self) -> None:
        """Refuse, with status 404 or 401, who may read no further."""
        if not self._may_read():
            raise Refusal(404, "There is no such conversation any more.", "not_found")
        if not self._secret or time.monotonic() - self._looked_s < LOOK_S:
            return
        session = await self._session()
        self._looked_s = time.monotonic()
        if session is None:
            raise Refusal(401, "The session has ended: sign in to read on.", "sign_in_needed")
        if session.locked:
            raise Refusal(401, "This session is locked: give its password to go on.", "session_locked")

    async def _session(self) -> Session | None:
        return await self._keeper.call(lambda store: store.ward.sessions.of(self._secret), eases=False)
