"""One line of the audit: JSON that ends in its own keyed hash, and names the line before it by a hash of that.

```json
{"seq":7,"time":"2026-11-30T14:52:44.962Z","boot":"3c3c…","up_ms":954816,"synced":true,"event":"answered",
 "who":"account anna","conversation":"…",…,"previous":"<SHA-256 of line 6>","mac":"<HMAC-SHA256>"}
```

The HMAC is of every byte before it, so a line says what it said or doesn't verify. ``previous`` is no keyed hash:
whoever has no key can follow the chain by it, though not write it on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.machine.moment import Moment
from edgekit.ward.audit.keys import sign

BEGINNING = "0" * 64
"""What the first line has before it."""
_SEAL = b',"mac":"%s"}'
_SEAL_BYTES = len(_SEAL) - 2 + 64


@dataclass(frozen=True)
class Line:
    """A line that verified: its number, its own hash, its keyed one, and all that it says."""

    seq: int
    digest: str
    mac: str
    fields: Mapping[str, Any]

    @property
    def previous(self) -> str:
        return str(self.fields["previous"])

    @property
    def day(self) -> str:
        """The wall clock's day when it was written: "2026-11-30"."""
        return str(self.fields["time"])[:10]


def write(key: bytes, moment: Moment, seq: int, previous: str, says: Mapping[str, Any]) -> bytes:
    """Return the line of number ``seq`` behind one whose hash is ``previous``, with no end; ``says`` is the rest."""
    fields = {
        "seq": seq,
        "time": moment.time,
        "boot": moment.boot,
        "up_ms": moment.up_ms,
        "synced": moment.synchronised,
        **says,
        "previous": previous,
    }
    body = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()
    return body[:-1] + _SEAL % sign(key, body).hex().encode()


def read(key: bytes, raw: bytes) -> Line | None:
    """Return what a line says; None where it isn't what :func:`write` wrote with this ``key``."""
    body = raw[:-_SEAL_BYTES] + b"}"
    mac = sign(key, body).hex()
    if not hmac.compare_digest(raw[-_SEAL_BYTES:], _SEAL % mac.encode()):
        return None
    fields = json.loads(body)
    return Line(fields["seq"], digest(raw), mac, fields)


def digest(raw: bytes) -> str:
    """Return a line's hash, by which the next one names it."""
    return hashlib.sha256(raw).hexdigest()
