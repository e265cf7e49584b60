"""Who comes in: by a token, by a session's cookie, or as this machine; the one place that reads credentials.

While there are neither tokens nor accounts, everybody may ask over the API, and who sits at this machine may use the
page. Once there is one of either, everybody needs a token or a session, at this machine too, until the service starts
anew. A locked session opens nothing but its own lock.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import Scope

from edgekit.serve.caller import Caller, Callers
from edgekit.serve.listening import is_loopback
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.cookies import secret_of
from edgekit.serve.ward.keeper import Keeper

if TYPE_CHECKING:
    from edgekit.ward.sessions import Session

OPEN = frozenset({"/", "/healthz", "/readyz", "/health", "/models", "/openapi.json"})
"""What anybody may ask: nothing in it is of a patient or of another caller."""
PAGE = "/page/"
"""Below it lie the page's own files."""
SIGNING_IN = frozenset(
    {
        ("GET", "/api/session"),
        ("HEAD", "/api/session"),
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("POST", "/api/session/lock"),
        ("POST", "/api/session/unlock"),
        ("POST", "/api/invitation"),
    }
)
"""How one comes in, and out."""
API = "/api/"
"""Below it lies what the page asks for."""
ASKED_BY_ITSELF = re.compile(r"/api/admin|/api/conversations/[^/]+/access")
"""The page asks for it every few seconds, also where nobody sits before it any more."""
THIS_MACHINE = "this machine"
"""The owner of what is kept before there are accounts."""
SAFE_METHODS = frozenset({"GET", "HEAD"})
RECHECK_S = 1.0
"""Clocks of file systems tick every few milliseconds: what was written within one is seen so much later."""
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"forwarded", b"via"})


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who has come: the ``caller``, his ``owner``'s name for what he keeps (his id, or None: he keeps nothing), and his
    session, if it is by one. ``secret`` is his cookie's, also of a session that has ended; ``tls`` says whether his
    browser speaks it."""

    caller: Caller
    owner: str | None
    session: Session | None = None
    secret: str = ""
    tls: bool = False


class Entrance:
    """Lets in who may come."""

    def __init__(self, callers: Callers, keeper: Keeper) -> None:
        self.callers = callers
        self._keeper = keeper
        self._has_accounts = False
        self._seen: object = None

    def address(self, scope: Scope) -> str:
        """Return where a request comes from in the end."""
        return self.callers.address(scope["headers"], _peer(scope))

    async def visit(self, scope: Scope) -> Visit:
        """Return who has come.

        :class:`Refusal` of status 401 where a token is wrong, or neither it nor a session is there and one is needed;
        also where the session is locked. Of status 403 where its browser does not say by ``x-csrf-token`` that its own
        page asks.
        """
        headers, tls = scope["headers"], self._is_tls(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        caller = self.callers.of(headers, _peer(scope), anybody=True)
        if caller.holder:
            return Visit(caller=caller, owner=caller.id, tls=tls)
        is_open = is_anybodys(scope["method"], path)
        secret = secret_of(headers, tls=tls) or ""
        if secret and self._keeper.is_there:
            seen = not is_asked_by_itself(path)
            session = await self._keeper.call(lambda store: store.ward.sessions.of(secret, seen=seen), eases=seen)
            if session is not None:
                _require_own_request(scope["method"], headers, session.csrf)
                if session.locked and not is_open:
                    raise Refusal(401, "This session is locked: give its password to go on.", "session_locked")
                owner = session.account.owner
                return Visit(caller=Caller(owner), owner=owner, session=session, secret=secret, tls=tls)
        if not await self.is_closed():
            if not (path.startswith(API) and self._is_here(scope)):
                return Visit(caller=caller, owner=None, secret=secret, tls=tls)
            return Visit(caller=Caller(THIS_MACHINE), owner=THIS_MACHINE, secret=secret, tls=tls)
        if not is_open:
            raise unsigned(path)
        return Visit(caller=caller, owner=None, secret=secret, tls=tls)

    async def is_closed(self) -> bool:
        """Say whether everybody needs a token or a session."""
        return self.callers.required or await self.has_accounts()

    async def has_accounts(self) -> bool:
        """Say whether there was an account at any time since the service began."""
        if not self._has_accounts and self._keeper.is_there:
            mark = self._keeper.mark, time.monotonic() // RECHECK_S
            if mark != self._seen:
                self._has_accounts = await self._keeper.call(lambda store: store.ward.accounts.exist())
                self._seen = mark
        return self._has_accounts

    def _is_here(self, scope: Scope) -> bool:
        """Whether it comes from this machine, and not through a proxy, unless that is named and says so."""
        names = {name for name, _ in scope["headers"]}
        if self.callers.is_proxy(_peer(scope)):
            return b"x-forwarded-for" in names and is_loopback(self.address(scope))
        return not names & _FORWARDED and is_loopback(_peer(scope))

    def _is_tls(self, scope: Scope) -> bool:
        """Whether the browser speaks TLS: with us, or with a proxy of the site's."""
        if scope.get("scheme") == "https":
            return True
        schemes = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        return schemes == [b"https"] and self.callers.is_proxy(_peer(scope))


def is_anybodys(method: str, path: str) -> bool:
    """Say whether a path may be asked without being let in, also where the session is locked."""
    versionless = path.removeprefix("/v1") or "/"
    return versionless in OPEN or path.startswith(PAGE) or (method, path) in SIGNING_IN


def is_asked_by_itself(path: str) -> bool:
    """Say whether a page asks for a path by itself, so that nobody need be there."""
    return ASKED_BY_ITSELF.fullmatch(path) is not None


def unsigned(path: str) -> Refusal:
    """Return what a caller is told who needs a token or a session, and has neither."""
    headers = {"www-authenticate": 'Bearer realm="edgekit"'}
    if path.startswith(API):
        return Refusal(401, "Sign in, or send 'Authorization: Bearer TOKEN'.", "sign_in_needed", headers=headers)
    message = "This service needs a token: send 'Authorization: Bearer TOKEN'."
    return Refusal(401, message, "token_missing", headers=headers)


def _require_own_request(method: str, headers: Sequence[tuple[bytes, bytes]], csrf: str) -> None:
    """A browser sends its cookie along with whatever makes it ask; only the service's own page can read the word."""
    if method in SAFE_METHODS:
        return
    words = [value for name, value in headers if name == b"x-csrf-token"]
    if len(words) != 1 or not hmac.compare_digest(words[0], csrf.encode()):
        message = "The header x-csrf-token is missing or wrong: GET api/session tells it."
        raise Refusal(403, message, "csrf_wrong")


def _peer(scope: Scope) -> str:
    return str(scope["client"][0]) if scope["client"] else ""
