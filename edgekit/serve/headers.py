"""What every answer says to a browser, whatever it is and whatever becomes of it.

A browser that opens an answer of the API, or an error, is to run nothing, load nothing, guess no type, and hand it on
to no other page. The page sets a policy of its own; nothing else needs more than none.
"""

from __future__ import annotations

from collections.abc import Sequence

Headers = Sequence[tuple[bytes, bytes]]

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of whatever is no page: Content Security Policy Level 3 has it run and load nothing."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the page: what it needs lies beside it, and a picture may be one that its reader has just chosen."""
SAFE = {
    "content-security-policy": POLICY,
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_ENCODED = [(name.encode(), value.encode()) for name, value in SAFE.items()]


def with_safe(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with those of :data:`SAFE` that it has not set itself; names are in lower case."""
    own = {name for name, _ in headers}
    return [*headers, *(line for line in _ENCODED if line[0] not in own)]
