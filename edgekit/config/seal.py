"""Files that say themselves whether they are whole: what no list has the hash of carries its own.

The last key of a JSON document, ``seal``, is the SHA-256 (hex) of its text with that key's value empty; a file of bytes
begins with the SHA-256 of what follows. A flipped bit is found wherever it is, in the digest and in the name ``seal``
too, and at every reading. Documents without a seal, of an EdgeKit that wrote none, are read as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from edgekit.errors import ConfigError

SEAL = "seal"
_DIGEST = hashlib.sha256().digest_size
_EMPTY = f'"{SEAL}": ""'
# The last line of a document as dumps() writes it. Its key may be a damaged one: what stands there is what tells.
_LAST = re.compile(rb'\n "([^"\n]*)": "([^"\n]{%d})"\n\}\n\Z' % (2 * _DIGEST))


def dumps(document: Mapping[str, Any]) -> str:
    """Return ``document`` as JSON text, a line for every value, and sealed."""
    text = json.dumps({**document, SEAL: ""}, indent=1) + "\n"
    head, empty, tail = text.rpartition(_EMPTY)
    assert empty, "the seal stands last"
    return f'{head}"{SEAL}": "{hashlib.sha256(text.encode()).hexdigest()}"{tail}'


def loads(text: bytes, origin: str) -> tuple[Any, bool]:
    """Return what JSON text says, its seal left out, and whether it had one.

    ``origin`` names the file in errors. :class:`ConfigError` where it is no JSON, and where it isn't what was sealed.
    """
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # syntax, encoding, a number or a nesting beyond all reason
        raise ConfigError(f"{origin} is not valid JSON: {error}", "Correct the file at that place.") from None
    last = _LAST.search(text)
    if last is None and not (isinstance(document, dict) and SEAL in document):
        return document, False
    if last is None or last[1] != SEAL.encode() or _digest_without(text, last) != last[2]:
        raise ConfigError(f"{origin}: the contents differ from what was sealed", "The file was damaged or changed.")
    del document[SEAL]
    return document, True


def _digest_without(text: bytes, last: re.Match[bytes]) -> bytes:
    """Of the text with the seal's value empty."""
    start, end = last.span(2)
    return hashlib.sha256(text[:start] + text[end:]).hexdigest().encode()


def wrap(payload: bytes) -> bytes:
    """Return ``payload`` behind its SHA-256."""
    return hashlib.sha256(payload).digest() + payload


def unwrap(sealed: bytes) -> bytes | None:
    """Return what :func:`wrap` got; None where it is not whole."""
    payload = sealed[_DIGEST:]
    return payload if hashlib.sha256(payload).digest() == sealed[:_DIGEST] else None
