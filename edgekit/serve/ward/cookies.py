"""The cookie of a session: HTTP's own (RFC 6265), out of reach of scripts, and of requests that begin on other sites.

Over TLS its name begins with ``__Host-``, so that no neighbour below a name's domain can set it (RFC 6265bis, 4.1.3.2).
It has no end of its own: it goes with the browser, and counts as long as the table says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Headers = Sequence[tuple[bytes, bytes]]

PLAIN, SECURE = "edgekit", "__Host-edgekit"
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,128}")


def secret_of(headers: Headers, *, tls: bool) -> str | None:
    """Return the secret that a request's cookie holds; None without one, and where there are several."""
    name = SECURE if tls else PLAIN
    values = []
    for line in (value.decode("latin-1") for key, value in headers if key == b"cookie"):
        pairs = [pair.strip().partition("=") for pair in line.split(";")]
        values += [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 and _SECRET.fullmatch(values[0]) else None


def giving(secret: str, *, tls: bool) -> str:
    """Return the header's value that has a browser keep a secret until it is closed."""
    return f"{SECURE if tls else PLAIN}={secret}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if tls else ''}"


def taking(*, tls: bool) -> str:
    """Return the header's value that has a browser drop it."""
    return f"{giving('', tls=tls)}; Max-Age=0"
