"""``GET /`` and ``GET /page/…``: the page for doctors, whose few files are served from memory.

In: the folder ``page/`` beside this module. Out: an ASGI endpoint that answers with one of its files, gzipped where the
browser takes that, or with 304 where the browser has it. Everything is read and compressed once, when the service
starts: no request touches the disk, and no path that a request names is ever opened.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.types import Receive, Scope, Send

from edgekit.serve.asgi import respond
from edgekit.serve.headers import PAGE_POLICY
from edgekit.serve.refusal import Refusal

FOLDER = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class File:
    """A file as it is sent: its ``content``, the same ``packed`` by gzip, its type, and a name of what it holds."""

    content: bytes
    packed: bytes
    type: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> File:
        """Read a file; :class:`KeyError` for a kind that the page has no use for."""
        content = path.read_bytes()
        packed = gzip.compress(content, mtime=0)
        return cls(content, packed, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:24])


class Page:
    """The endpoint of both paths; ``files`` by the path below ``page/``, and the page itself by ""."""

    name = "page"

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES]
        self.files = {path.relative_to(folder).as_posix(): File.read(path) for path in paths}
        self.files[""] = self.files.pop("index.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self.files.get(scope.get("path_params", {}).get("path", ""))
        if file is None:
            raise Refusal(404, "The page has no such file.", "not_found")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        packed = takes_gzip(headers.get("accept-encoding", ""))
        tag = f'"{file.digest}{"-gzip" if packed else ""}"'
        lines = {
            "content-security-policy": PAGE_POLICY,
            "cache-control": "no-cache",
            "etag": tag,
            "vary": "accept-encoding",
        }
        if is_current(headers.get("if-none-match", ""), tag):
            pairs = [(name.encode(), value.encode()) for name, value in lines.items()]
            await send({"type": "http.response.start", "status": 304, "headers": pairs})
            await send({"type": "http.response.body", "body": b""})
            return
        lines["content-type"] = file.type
        if packed:
            lines["content-encoding"] = "gzip"
        await respond(send, 200, file.packed if packed else file.content, lines)


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a browser takes gzip, by RFC 9110 12.5.3: it is named, and not with a weight of 0."""
    for part in accept_encoding.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def is_current(if_none_match: str, tag: str) -> bool:
    """Tell whether a browser has what ``tag`` names, by RFC 9110 13.1.2: compared weakly, since proxies that compress
    make tags weak."""
    return tag in [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
