"""A page's session with an application: it keeps its cookie, and says its word with whatever changes something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.types import ASGIApp

from edgekit.ward.accounts import Account, Role
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.asgi import Call, until
from tests.toy_service import Talking

PASSWORD = "a long walk to the sea"


def account(state: Path, name: str = "anna", role: Role = "doctor", password: str = PASSWORD) -> Account:
    """Make an account, as a command at a terminal does, also while a service runs."""
    with Ward.open(state, master_key(state)) as ward:
        added = ward.accounts.add(name, role)
        ward.accounts.set_password(added, password)
        return added


class Browser:
    """Sends requests to ``app`` from ``address``, over TLS where ``tls`` is set."""

    def __init__(self, app: ASGIApp, address: str = "127.0.0.1", *, tls: bool = False) -> None:
        self._app = app
        self._address = address
        self._tls = tls
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def begin(self, method: str, path: str, content: Any = None, *, headers: Mapping[str, str] | None = None) -> Call:
        """Begin a request; ``content`` is bytes, or a document."""
        body = content if isinstance(content, bytes) else b"" if content is None else msgspec.json.encode(content)
        lines = {"sec-fetch-site": "same-origin"}
        if self.cookies:
            lines["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method not in ("GET", "HEAD") and self.csrf:
            lines["x-csrf-token"] = self.csrf
        lines |= dict(headers or {})
        call = Call(self._app, method, path, parts=(body,), headers=lines, address=self._address)
        call.scope["scheme"] = "https" if self._tls else "http"
        return call

    async def send(self, method: str, path: str, content: Any = None, **more: Any) -> Call:
        """Send a request, and take what its answer says of cookies."""
        call = await self.begin(method, path, content, **more).done()
        if cookie := call.headers.get("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        if call.status == 200 and path in ("/api/session", "/api/session/unlock", "/api/invitation"):
            self.csrf = call.json()["csrf"]
        return call

    async def get(self, path: str, **more: Any) -> Call:
        """Ask for what is at a path."""
        return await self.send("GET", path, **more)

    async def post(self, path: str, content: Any = None, **more: Any) -> Call:
        """Send a document, or bytes."""
        return await self.send("POST", path, content, **more)

    async def sign_in(self, name: str, password: str = PASSWORD) -> Call:
        """Sign in; where that is refused, the refusal is returned."""
        return await self.post("/api/session", {"name": name, "password": password})

    async def begin_conversation(self, **fields: str) -> str:
        """Begin a conversation; its path."""
        made = await self.post("/api/conversations", fields)
        assert made.status == 201, made.body
        return f"/api/conversations/{made.json()['id']}"

    async def ask(self, path: str, text: str = "What is it?", **fields: Any) -> Call:
        """Ask in the conversation at ``path``, and read the answer to its end."""
        return await self.post(f"{path}/messages", {"text": text, **fields})


async def begin_answer(page: Browser, engine: Talking, path: str) -> Call:
    """Ask in the conversation at ``path``, and have a held ``engine`` write some letters and stand still; the call."""
    call = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
    engine.let(5)
    await until(lambda: len(text_of(call)) >= 4)
    return call


def told(call: Call) -> list[tuple[str, Any]]:
    """Return the events of a stream so far: each one's name and document."""
    events = []
    for block in call.body.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events


def text_of(call: Call) -> str:
    """Return the text of a stream so far."""
    return "".join(document["text"] for name, document in told(call) if name == "text")


def end_of(call: Call) -> Any:
    """Return the turn that a stream ended with."""
    name, document = told(call)[-1]
    assert name == "end", told(call)
    return document
