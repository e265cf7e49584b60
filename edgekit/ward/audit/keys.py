"""The audit's three keys, from the one that the master key yields for it: none does another's work."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AuditKeys:
    """Keys of 32 bytes: of lines, of the head beside them, and of what is hashed in them. None is ever shown."""

    lines: bytes = field(repr=False)
    head: bytes = field(repr=False)
    contents: bytes = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> AuditKeys:
        """Derive them from the subkey for the audit."""
        return cls(*(sign(key, f"edgekit audit {purpose}".encode()) for purpose in ("lines", "head", "contents")))


def sign(key: bytes, content: bytes) -> bytes:
    """Return the HMAC-SHA256 of ``content``, 32 bytes."""
    return hmac.digest(key, content, hashlib.sha256)
