"""What goes to the decoding child and comes back: a line of JSON and, behind it, bytes."""

from __future__ import annotations

import json
from typing import Any


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Make a message of its line and its bytes."""
    return json.dumps(head).encode() + b"\n" + body


def unpack(message: bytes) -> tuple[Any, bytes]:
    """Take a message apart; :class:`ValueError` where its line is no JSON."""
    end = message.find(b"\n") + 1
    return json.loads(message[:end]), message[end:]
