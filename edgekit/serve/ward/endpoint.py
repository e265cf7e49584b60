"""One path of the ward's: for each method a function from a request to a reply."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit.errors import ContextExceeded, InputError, InUse, NotAllowed, NotHere, gist
from edgekit.serve.address import is_address
from edgekit.serve.asgi import apart, respond, respond_events, while_connected
from edgekit.serve.openai.request import parse
from edgekit.serve.refusal import Refusal, invalid
from edgekit.serve.ward.desk import Desk
from edgekit.serve.ward.entrance import THIS_MACHINE, Visit, unsigned

T = TypeVar("T")


class Request:
    """What is asked, of which ``desk``, by whom."""

    def __init__(self, desk: Desk, scope: Scope, receive: Receive) -> None:
        self.desk = desk
        self.scope = scope
        self.receive = receive
        self.visit: Visit = scope["state"]["visit"]

    @property
    def owner(self) -> str:
        """Whose things may be asked for; :class:`Refusal` of status 401 for whoever has none."""
        owner = self.visit.owner
        if owner is None:
            raise unsigned("/api/")
        return owner

    @property
    def who(self) -> str:
        """What the audit calls whoever asks."""
        session = self.visit.session
        if session is not None:
            return f"account {session.account.name}"
        return THIS_MACHINE if self.visit.owner == THIS_MACHINE else self.visit.caller.name

    @property
    def address(self) -> str:
        """Where it comes from, "unknown" where a proxy says what is no address."""
        address = str(self.scope["state"].get("address", ""))
        return address if is_address(address) else "unknown"

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.scope["path_params"][name])

    def require_only(self, *names: str) -> None:
        """Refuse, with status 400, a query of other names: one that is misspelt would else be left alone in silence."""
        for name in self._query():
            if name not in names:
                raise invalid(name[:40], f"is no part of the query; those are: {', '.join(names)}.")

    def word(self, name: str) -> str:
        """Return a value of the query; "" without it."""
        return self._query().get(name, [""])[-1]

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number of the query; :class:`Refusal` of status 400 for what is none within bounds."""
        if name not in self._query():
            return default
        text = self.word(name)
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise invalid(name, f"is a whole number from {least} to {most}.")
        return int(text)

    def _query(self) -> dict[str, list[str]]:
        try:
            return parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=32)
        except ValueError:
            raise Refusal(400, "The query has too many parts.", "invalid_value") from None

    async def read(self, form: type[T]) -> T:
        """Read the document that was sent; :class:`Refusal` of status 400 where it can't be meant."""
        caller = self.visit.caller
        async with self.desk.service.bodies.reading(caller.id, self.scope, self.receive) as body:
            return await apart(len(body), lambda: parse(body, form))


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered: a status, a ``body`` of a ``type``, and further headers; or ``events`` as they come."""

    status: int = 200
    body: bytes = b""
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    events: AsyncIterator[bytes] | None = None


def document(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer by a JSON document."""
    return Reply(status=status, body=msgspec.json.encode(content), headers=headers or {})


STATUSES: dict[type[InputError], tuple[int, str]] = {
    NotHere: (404, "not_found"),
    NotAllowed: (403, "not_allowed"),
    InUse: (409, "in_use"),
}
"""What of the store's errors is told by a status of its own."""
DONE = Reply(status=204)
Handler: TypeAlias = Callable[[Request], Awaitable[Reply]]


class Endpoint:
    """A path called ``name``, and what answers each of its methods."""

    def __init__(self, name: str, desk: Desk, **handlers: Handler) -> None:
        self.name = name
        self.methods = tuple(handlers)
        self._desk = desk
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        try:
            reply = await self._handlers[method](Request(self._desk, scope, receive))
        except ContextExceeded:
            raise
        except InputError as error:
            status, code = STATUSES.get(type(error), (400, "invalid_request"))
            raise Refusal(status, gist(f"{error.message}. {error.hint}".strip()), code) from error
        headers = {"cache-control": "no-store", **reply.headers}
        if reply.events is not None:
            await while_connected(receive, respond_events(send, reply.events, headers))
        elif reply.status == 204:
            lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 204, "headers": lines})
            await send({"type": "http.response.body", "body": b""})
        else:
            await respond(send, reply.status, reply.body, {"content-type": reply.type, **headers})
