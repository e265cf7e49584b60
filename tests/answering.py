"""Any ASGI application over a real socket, by the service's own protocol; and a client that sends byte by byte."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from edgekit.serve.http import DeadlineProtocol, protocol
from edgekit.serve.listening import listen
from edgekit.serve.logs import quiet, show


@dataclass(frozen=True)
class Answer:
    """What came back: ``headers`` by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A client's end of one connection, from one of loopback's addresses."""

    def __init__(self, port: int, address: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))
        self._read = b""

    def send(self, *parts: bytes) -> None:
        self._socket.sendall(b"".join(parts))

    def drip(self, message: bytes, every_s: float) -> int:
        """Send byte by byte for as long as the other end takes that; return how many it took."""
        for count in range(len(message)):
            try:
                self.send(message[count : count + 1])
            except OSError:
                return count
            time.sleep(every_s)
        return len(message)

    def answer(self) -> Answer:
        """Read one answer whose length is announced."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers["content-length"])
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(first.split()[1]), headers, body)

    def rest(self) -> bytes:
        """Read until the other end closes the connection."""
        try:
            while part := self._socket.recv(65536):
                self._read += part
        except ConnectionResetError:
            pass  # it had closed before all had arrived
        return self._read

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> None:
        part = self._socket.recv(65536)
        if not part:
            raise EOFError(f"closed after {self._read!r}")
        self._read += part


@dataclass(frozen=True)
class Answering:
    """An application that answers on ``port``."""

    port: int
    server: uvicorn.Server

    @contextmanager
    def connection(self, address: str = "127.0.0.1") -> Iterator[Connection]:
        connection = Connection(self.port, address)
        try:
            yield connection
        finally:
            connection.close()

    @property
    def protocols(self) -> list[DeadlineProtocol]:
        """The connections that the server holds."""
        return [each for each in list(self.server.server_state.connections) if isinstance(each, DeadlineProtocol)]

    def busy(self) -> bool:
        """Wait until a request runs; False where none does."""
        return _soon(lambda: bool(self.server.server_state.tasks))

    def settled(self) -> bool:
        """Wait until no connection is left and no request runs; False where some stay."""
        state = self.server.server_state
        return _soon(lambda: not state.connections and not state.tasks)


def _soon(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 2
    while not (so := is_so()) and time.monotonic() < until:
        time.sleep(0.005)
    return so


@contextmanager
def answering(
    app: ASGIApp, request_s: float = 5.0, connections: int = 64, is_proxy: Callable[[str], bool] = lambda address: True
) -> Iterator[Answering]:
    """Have ``app`` answer until the block's end, on a free port, in a thread with a loop of its own."""
    config = uvicorn.Config(
        app,
        http=protocol(request_s, connections, is_proxy),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield Answering(listener.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def request(method: str, path: str, body: bytes | None = None, *lines: str) -> bytes:
    """Return a request as it goes over the wire."""
    length = [] if body is None else [f"content-length: {len(body)}"]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "host: localhost", *length, *lines, "", ""])
    return head.encode("latin-1") + (body or b"")


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """Gather all that any logger says while the service shows its log from the lowest level on, as a handler writes it:
    with exceptions' texts."""
    lines: list[str] = []

    class Gathering(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Gathering(level=0), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    level = root.level
    show(logging.DEBUG)
    quiet()
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
