"""A server that does, request by request, what a test has it do."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Act: TypeAlias = "Callable[[BaseHTTPRequestHandler, Any], None]"
MODELS = {"data": [{"id": "m", "edgekit": {"fingerprint": "f", "slots": 2}}]}


class Scripted:
    """``acts`` are done for POSTs in their order, the last one again and again; GETs are told ``models``.

    ``asked`` has the path, headers and document of each POST, ``connections`` counts them.
    """

    def __init__(self, *acts: Act, models: Act | None = None) -> None:
        self._acts = list(acts)
        self.models = models or send(200, MODELS)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.connections = 0
        self.url = ""
        self._lock = threading.Lock()

    def next(self, path: str, headers: dict[str, str], document: Any) -> Act:
        """Note a POST, and return what is done about it."""
        with self._lock:
            self.asked.append((path, headers, document))
            return self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]


def send(status: int, document: Any, **headers: str) -> Act:
    """Answer with a document, or with text."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()

    def act(handler: BaseHTTPRequestHandler, asked: Any) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return act


def refuse(status: int, code: str = "", **headers: str) -> Act:
    """Answer with an error of OpenAI's form."""
    return send(status, {"error": {"message": f"No: {status}.", "code": code}}, **headers)


def stream(*events: Any, end: bool = True) -> Act:
    """Answer with events, in chunks; without ``end`` the connection is closed in the middle."""

    def act(handler: BaseHTTPRequestHandler, asked: Any) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream; charset=utf-8")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        lines = [": queued 1\n\n", *(f"id: 1\ndata: {json.dumps(event)}\n\n" for event in events)]
        for line in [*lines, "data: [DONE]\n\n"] if end else lines:
            part = line.encode()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if end:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.close_connection = True

    return act


def echo(handler: BaseHTTPRequestHandler, asked: Any) -> None:
    """Answer with the question's last text, in two pieces."""
    content = asked["messages"][0]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    stream(
        {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"content": text[:1]}}]},
        {"choices": [{"delta": {"content": text[1:]}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "edgekit": {"seeds": [5], "notes": ["Bright."]}},
        {"choices": [], "usage": {"completion_tokens": 3}},
    )(handler, asked)


def drop(handler: BaseHTTPRequestHandler, asked: Any) -> None:
    """End the connection without a word."""
    handler.close_connection = True


@contextmanager
def scripted(*acts: Act, models: Act | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve until the block's end."""
    script = Scripted(*acts, models=models)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def setup(self) -> None:
            super().setup()
            script.connections += 1

        def do_GET(self) -> None:
            script.models(self, None)

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            script.next(self.path, dict(self.headers), document)(self, document)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # whoever asked has gone
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    script.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
