"""An endpoint of OpenAI's API on this machine that judges as a test says: well, badly, late, or not at all."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Said:
    """A chat completion; ``usage`` are the tokens that it tells."""

    text: str | None
    finish: str = "stop"
    refusal: str | None = None
    usage: tuple[int, int] | None = (100, 7)

    def body(self) -> bytes:
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        document: dict[str, Any] = {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
        }
        if self.usage is not None:
            prompt, completion = self.usage
            document["usage"] = {
                "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            }  # fmt: skip
        return json.dumps(document).encode()


@dataclass(frozen=True)
class Status:
    """Any other reply; the client asks again at once where it would wait."""

    code: int
    body: bytes = b'{"error": {"message": "told", "code": null}}'
    type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = (("retry-after-ms", "1"),)


@dataclass(frozen=True)
class Late:
    """Nothing for a while, then a reply that nobody waits for."""

    seconds: float


class Cut:
    """A connection that is reset in the middle of a reply."""


Step: TypeAlias = "Said | Status | Late | Cut"
Script: TypeAlias = "Callable[[int, str], Step]"
"""What follows a request, by how many came before it, and by its prompt."""


@dataclass
class FakeJudge:
    """A running endpoint: its ``url``, and the bodies and headers of the ``requests`` that reached it."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        return [body["messages"][1]["content"] for body in self.bodies]


def in_turn(*steps: Step, then: Step) -> Script:
    """Return a script of steps one after the other, the last for ever."""
    return lambda number, prompt: steps[number] if number < len(steps) else then


def answers_in(prompt: str) -> tuple[str, str]:
    """Return the answers of Assistant 1 and of Assistant 2 that a prompt holds."""
    first, second = re.findall(r"## Answer of Assistant [12]\n(.*?)(?=\n\n## )", prompt, re.DOTALL)
    return first, second


@contextmanager
def fake_judge(script: Script) -> Iterator[FakeJudge]:
    """Run an endpoint that follows ``script``."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(judge.bodies)
                judge.bodies.append(body)
                judge.headers.append({key.lower(): value for key, value in self.headers.items()})
                judge.paths.append(self.path)
            _follow(self, script(number, body["messages"][1]["content"]))

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    judge = FakeJudge(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed, and wait no longer, on purpose."""


def _follow(handler: BaseHTTPRequestHandler, step: Step) -> None:
    if isinstance(step, Late):
        time.sleep(step.seconds)
        handler.close_connection = True
        return
    if isinstance(step, Cut):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return
    status = Status(200, step.body(), headers=()) if isinstance(step, Said) else step
    handler.send_response(status.code)
    for name, value in (*status.headers, ("Content-Type", status.type), ("Content-Length", str(len(status.body)))):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(status.body)
