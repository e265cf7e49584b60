"""One request to an ASGI application, without a server or a socket: what it sends is collected, and a caller may go."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.types import ASGIApp, Message

T = TypeVar("T")
SOON_S = 20.0


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on an event loop of its own; it fails where it is not over soon."""

    @functools.wraps(test)
    def run(*arguments: Any, **more: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **more), SOON_S))

    return run


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something has come to pass; the test's own time limits it."""
    while not condition():
        await asyncio.sleep(0.002)


class Call:
    """A request on its way. ``body`` is what came so far; ``done`` waits for the rest, and ``leave`` goes before it."""

    def __init__(
        self,
        app: ASGIApp,
        method: str,
        path: str,
        *,
        parts: tuple[bytes, ...] = (b"",),
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        route, _, query = path.partition("?")
        lines = {"host": "localhost"} | dict(headers or {})
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": route,
            "raw_path": route.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines.items()],
            "client": (address, 5000),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.whole = False
        self._parts = list(parts)
        self._left = asyncio.Event()
        self.task: asyncio.Task[None] = asyncio.ensure_future(self._run(app))

    async def _run(self, app: ASGIApp) -> None:
        await app(self.scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts)}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self.status, "an answer begins once"
            self.status = message["status"]
            lines = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"]]
            self.headers = dict(lines)
            assert len(self.headers) == len(lines), "a header comes once"
            return
        assert self.status, "an answer begins before it goes on"
        assert not self.whole, "nothing follows an answer's end"
        self.body += message.get("body", b"")
        self.whole = not message.get("more_body", False)

    async def done(self) -> Call:
        """Wait for the end; what the application raises is raised."""
        await self.task
        return self

    async def leave(self) -> None:
        """Close the connection, and wait until the application is done with it."""
        self._left.set()
        await self.task

    def json(self) -> Any:
        """Return the document that was answered."""
        return json.loads(self.body)

    def events(self) -> list[Any]:
        """Return the documents of a stream so far; the word that ends it stays a word."""
        data = [line[6:] for line in self.body.decode().splitlines() if line.startswith("data: ")]
        return [text if text == "[DONE]" else json.loads(text) for text in data]

    def ids(self) -> list[int]:
        """Return the numbers of a stream's events so far."""
        return [int(line[4:]) for line in self.body.decode().splitlines() if line.startswith("id: ")]

    def comments(self) -> list[str]:
        """Return a stream's comments so far."""
        return [line[2:] for line in self.body.decode().splitlines() if line.startswith(": ")]

    def error(self, status: int, code: str) -> dict[str, Any]:
        """Return the error, in OpenAI's form, that the request was refused with."""
        assert self.status == status, self.body
        document: dict[str, Any] = self.json()["error"]
        assert document["code"] == code, document
        assert {"message", "type", "param", "code"} <= document.keys()
        return document


def post(app: ASGIApp, path: str, document: Any, **more: Any) -> Call:
    """Begin to send a document."""
    body = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return Call(app, "POST", path, parts=(body,), **more)


async def get(app: ASGIApp, path: str, **more: Any) -> Call:
    """Ask for what is at a path."""
    return await Call(app, "GET", path, **more).done()
