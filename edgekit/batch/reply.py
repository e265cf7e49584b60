"""One request of OpenAI's API and what comes back: a document, or the events of a stream, read to their end.

A stream is asked for so that a connection is never silent while an answer waits for its turn: proxies end those that
are. Whatever a server sends that is no such answer is its error, and never one of ours.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from edgekit.batch.address import Address, watch
from edgekit.errors import gist

_LONGEST_LINE = 1 << 20
_MOST_BYTES = 1 << 24  # of a document


class Lost(Exception):
    """The connection was lost before the answer was whole; ``stale``: before anything came of a connection that had
    been kept."""

    def __init__(self, reason: str, stale: bool = False) -> None:
        super().__init__(reason)
        self.stale = stale


@dataclass(kw_only=True)
class Reply:
    """What came back.

    * ``status``: of HTTP; ``retry_after``: the header of that name
    * ``code``, ``error``: of an error, "" and None without
    * ``text``, ``reason``, ``tokens``, ``seed``, ``notes``: of an answer; ``reason`` is None until it is whole
    * ``document``: what came in one piece
    """

    status: int
    retry_after: str | None = None
    code: str = ""
    error: str | None = None
    text: str = ""
    reason: str | None = None
    tokens: int | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    document: Any = None

    def retry_after_s(self, now_s: float) -> float | None:
        """Return the seconds that the server asks to wait, at ``now_s`` seconds since 1970; None where it says none."""
        if self.retry_after is None:
            return None
        with suppress(ValueError):
            return max(0.0, float(int(self.retry_after)))
        with suppress(ValueError, TypeError):
            return max(0.0, parsedate_to_datetime(self.retry_after).timestamp() - now_s)
        return None


class Connection:
    """A connection that is kept from request to request, and opened again where it has ended.

    It belongs to one thread; another may ``interrupt`` it.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._http = address.connection()
        self._http.auto_open = 0  # opened in one place, where an interruption is seen
        self._interrupted = False
        self._lock = threading.Lock()

    def get(self, path: str) -> Reply:
        """Ask for a document."""
        return self._request("GET", path, None)

    def post(self, path: str, document: Mapping[str, Any]) -> Reply:
        """Send a document; the answer may be a document or a stream."""
        return self._request("POST", path, json.dumps(document).encode())

    def close(self) -> None:
        """End the connection; the next request opens another."""
        self._http.close()

    def interrupt(self) -> None:
        """End what is waited for in the connection's own thread, and whatever it asks for next, by :class:`Lost`."""
        with self._lock:
            self._interrupted = True
            if self._is_open:
                with suppress(OSError):
                    self._http.sock.shutdown(socket.SHUT_RDWR)

    @property
    def _is_open(self) -> bool:
        return self._http.sock is not None

    def _request(self, method: str, path: str, body: bytes | None) -> Reply:
        stale = self._is_open
        try:
            response = self._send(method, path, body)
            stale = False
            reply = _read(response)
            if not response.isclosed():
                self._http.close()  # what is left unread would be taken for the next answer
            return reply
        except Lost:
            self._http.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise Lost(_words(error), stale) from error

    def _send(self, method: str, path: str, body: bytes | None) -> http.client.HTTPResponse:
        if not self._is_open:
            self._http.connect()
            watch(self._http.sock)
        with self._lock:  # from here on, an interruption finds the socket
            if self._interrupted:
                raise Lost("it was interrupted")
        headers = self._address.headers | ({} if body is None else {"Content-Type": "application/json"})
        try:
            self._http.request(method, self._address.base + path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            if body is None:
                raise
            # It may have said why it reads no further ("413") before it closed.
        return self._http.getresponse()


def _read(response: http.client.HTTPResponse) -> Reply:
    reply = Reply(status=response.status, retry_after=response.headers.get("retry-after"))
    try:
        if response.headers.get_content_type() == "text/event-stream":
            for event in _events(response):
                _take(reply, json.loads(event))
            if reply.reason is None and reply.error is None:
                raise Lost("the answer ended in its middle")
            return reply
        body = response.read(_MOST_BYTES)
        try:
            _take(reply, json.loads(body))
        except ValueError:
            if response.status == HTTPStatus.OK:
                raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        reply.error = "The server's answer is none of OpenAI's API"
    if response.status != HTTPStatus.OK and reply.error is None:
        reply.error = f"The server answers {response.status} {response.reason}".rstrip()
    return reply


def _events(response: http.client.HTTPResponse) -> Iterator[str]:
    """The data of each event, up to the one that ends the stream."""
    lines: list[str] = []
    while line := response.readline(_LONGEST_LINE):
        text = line.decode().rstrip("\r\n")
        if text.startswith("data:"):
            lines.append(text.removeprefix("data:").removeprefix(" "))
        elif not text and lines:
            event, lines = "\n".join(lines), []
            if event == "[DONE]":
                response.read(_MOST_BYTES)  # the end of its chunks: the connection can be kept
                return
            yield event


def _take(reply: Reply, document: Any) -> None:
    """Read a document, or an event of a stream."""
    reply.document = document
    error = document.get("error")
    if error:
        reply.code = str(error.get("code") or "") if isinstance(error, dict) else ""
        reply.error = gist(str(error["message"] if isinstance(error, dict) else error))
        return
    for choice in document.get("choices") or ():
        said = choice.get("delta") or choice.get("message") or {}
        reply.text += said.get("content") or ""
        reply.reason = choice.get("finish_reason") or reply.reason
    usage, aside = document.get("usage") or {}, document.get("edgekit") or {}
    reply.tokens = usage.get("completion_tokens", reply.tokens)
    if isinstance(aside, dict) and "seeds" in aside:
        reply.seed, reply.notes = aside["seeds"][0], tuple(aside["notes"])


def _words(error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return gist(reason)
