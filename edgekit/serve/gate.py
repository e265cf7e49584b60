"""What every request passes, in and out: a name of its own, where it comes from, who asks, what is logged of it.

Two pure ASGI middlewares. (Starlette's ``BaseHTTPMiddleware`` hides from an endpoint that its caller has gone.) Logs
and metrics have a request's route, never its address line or its body: they hold nothing that was asked or answered.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import traceback
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgekit.serve.asgi import Gone, respond_json
from edgekit.serve.headers import with_safe
from edgekit.serve.hosts import Hosts, require_own_page
from edgekit.serve.logs import types_of
from edgekit.serve.refusal import refusal_of
from edgekit.serve.ward.entrance import Entrance, is_asked_by_itself

log = logging.getLogger("edgekit.serve")

GONE = 499
"""nginx's word for a caller that went before its answer; nobody reads it but the log."""


class Envelope:
    """Gives each answer an ``x-request-id`` and what browsers have to know, turns errors into OpenAI's form, and logs
    one line: what a page asks for by itself, every few seconds, at the finest level where it went well.

    ``note`` is told of each request: its route, its status, its seconds, and the code of what went wrong ("": nothing).
    An endpoint whose answer fails once it has begun leaves the code in ``scope["state"]["failed"]``.
    """

    def __init__(self, app: ASGIApp, note: Callable[[str, int, float, str], None]) -> None:
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id, begun, status, code = secrets.token_hex(16), time.monotonic(), 0, ""

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = with_safe([*message.get("headers", []), (b"x-request-id", id.encode())])
            await send(message)

        scope["state"]["request_id"] = id
        try:
            await self._app(scope, receive, sending)
        except Gone:
            status = status or GONE
        except asyncio.CancelledError:
            status = status or GONE
            raise
        except Exception as error:
            refusal = refusal_of(error)
            code = refusal.code
            if refusal.status >= 500 and error is not refusal:
                log.error("%s failed: %s", id, types_of(error))
                log.debug("%s failed at\n%s", id, "".join(traceback.format_tb(error.__traceback__)))  # places, no texts
            if status == 0:
                await respond_json(sending, refusal.status, refusal.document(), refusal.headers)
            # An answer that had begun stays without its end, and uvicorn closes its connection. Raised on, the
            # error's text would stand in uvicorn's log.
        finally:
            seconds = time.monotonic() - begun
            route = str(getattr(scope.get("route"), "path", None) or getattr(scope.get("endpoint"), "name", "unknown"))
            caller = scope["state"].get("caller")
            name = caller.name if caller else f"address {scope['state'].get('address', 'unknown')}"
            code = scope["state"].get("failed") or code  # of a stream, whose status had been sent
            reason = f": {code}" if code else ""
            level = logging.DEBUG if status == 200 and is_asked_by_itself(route) else logging.INFO
            log.log(level, "%s %s %s %d %.3f s, %s%s", id, scope["method"][:8], route, status, seconds, name, reason)
            self._note(route, status, seconds, code)


class Border:
    """Lets in who may, and says so: ``scope["state"]`` has the ``caller`` and his ``visit`` from here on."""

    def __init__(self, app: ASGIApp, hosts: Hosts, entrance: Entrance) -> None:
        self._app = app
        self._hosts = hosts
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = scope["headers"]
            scope["state"]["address"] = self._entrance.address(scope)  # the log needs it of who is refused
            self._hosts.require(_only(headers, b"host"), _only(headers, b"origin"))
            require_own_page(_only(headers, b"sec-fetch-site"), is_visit=_is_visit(scope))
            visit = await self._entrance.visit(scope)
            scope["state"] |= {"caller": visit.caller, "visit": visit}
        await self._app(scope, receive, send)


def _is_visit(scope: Scope) -> bool:
    """Whether a browser opens the address for its reader to look at, as when a link is followed."""
    mode = _only(scope["headers"], b"sec-fetch-mode")
    return scope["method"] in ("GET", "HEAD") and mode == "navigate"


def _only(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """A header's value; None without one, and "" where there are several, which nobody means well with."""
    values = [value for key, value in headers if key == name]
    return (values[0].decode("latin-1") if len(values) == 1 else "") if values else None
