"""What all of the ward's endpoints share: the service, the store's thread, and who comes in."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from edgekit import __version__
from edgekit.serve.caller import Callers
from edgekit.serve.service import Service
from edgekit.serve.tokens import Tokens
from edgekit.serve.turns import Turns
from edgekit.serve.ward.documents import AccountFacts, ServiceFacts, SessionDocument
from edgekit.serve.ward.entrance import Entrance, Visit
from edgekit.serve.ward.keeper import Keeper
from edgekit.serve.ward.pictures import Pictures
from edgekit.serve.ward.writing import Writing

LOADED = 2
"""Pictures of the store that are in memory at once to be decoded, by a child that has one at a time."""


LOOK_S, MOST_LOOKS = 600.0, 10_000
"""Who scrolls through a picture's frames looks at it once; so many such looks are remembered."""


class Desk:
    """Where the page's requests are taken: of a ``service``, by a store's ``keeper``, from those who come in.

    ``until`` gives the last day of each certificate.
    """

    def __init__(
        self,
        service: Service,
        keeper: Keeper,
        entrance: Entrance,
        pictures: Pictures,
        until: Callable[[], Mapping[str, datetime]] = dict,
    ) -> None:
        self.service = service
        self.keeper = keeper
        self.entrance = entrance
        self.pictures = pictures
        self.until = until
        self.started_s = time.time()
        self.writing = Writing(service, keeper)
        self.loading = asyncio.Semaphore(LOADED)
        self.listing = Turns()
        self._looked_s: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def close(self) -> None:
        """Store what was written of each answer, and close the store."""
        await self.writing.close()
        await self.keeper.close()

    def looks_again(self, owner: str, picture: str) -> bool:
        """Say whether an owner's look at a picture is one that is not known yet, or was long ago."""
        now_s, key = time.monotonic(), (owner, picture)
        is_new = now_s - self._looked_s.get(key, -LOOK_S) >= LOOK_S
        if is_new:
            self._looked_s[key] = now_s
            self._looked_s.move_to_end(key)
            while len(self._looked_s) > MOST_LOOKS:
                self._looked_s.popitem(last=False)
        return is_new

    def forget(self, caller: str) -> None:
        """Have nothing of what a caller sent or got be reused."""
        self.service.gallery.forget(caller)
        self.service.engine.forget(caller)

    async def session(self, visit: Visit) -> SessionDocument:
        """Say who asks, and what answers."""
        session = visit.session
        account = session.account if session else None
        return SessionDocument(
            signed_in=session is not None,
            account=AccountFacts(name=account.name, role=account.role, language=account.language) if account else None,
            locked=bool(session and session.locked),
            csrf=session.csrf if session else "",
            sign_in_needed=session is None and visit.owner is None,
            accounts=await self.entrance.has_accounts(),
            idle_s=round(self.service.settings.sign_in.idle_s) if session else None,
            service=self._facts(),
        )

    def _facts(self) -> ServiceFacts:
        service = self.service
        return ServiceFacts(
            model=service.name,
            notice=service.manifest.spec.intended_use,
            bundle=service.model.bundle.digest,
            images=service.limits.images,
            version=__version__,
            dicom=find_spec("pydicom") is not None,
            slots=service.model.engine.slots,
        )


@asynccontextmanager
async def at_desk(
    service: Service,
    pictures: Pictures,
    tokens: Tokens,
    state: Path,
    until: Callable[[], Mapping[str, datetime]] = dict,
) -> AsyncIterator[Desk]:
    """Yield what takes the page's requests, of those whom ``tokens`` and the accounts in the folder ``state`` let in.

    The store is open where there is one; what was written of each answer is stored in the end.
    :class:`~edgekit.errors.EdgeKitError` where it can't be used.
    """
    keeper = Keeper.of(state, service.settings)
    desk = Desk(service, keeper, Entrance(Callers(tokens, service.settings.proxies), keeper), pictures, until)
    try:
        await keeper.start()
        yield desk
    finally:
        await desk.close()
