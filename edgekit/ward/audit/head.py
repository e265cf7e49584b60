"""The head of the audit: how far it goes, so that lines cut off its end are missed.

It lies beside the lines, sealed by a key of its own, and is written over with each of them. Somebody who keeps an older
one can put it back with the older lines, so it goes where he has no say, too: to the system's log once a day, and
wherever `edgekit audit head` is written down.
"""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import InputError
from edgekit.files import write_bytes
from edgekit.ward.audit.keys import sign

NAME = "head"
_WRITTEN = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Head:
    """The last line's number (0: there is none yet) and its keyed hash in hexadecimal."""

    seq: int
    mac: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read what ``str`` wrote; :class:`~edgekit.errors.InputError` for anything else."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            hint = "Give it as `edgekit audit head` shows it: a number, ':', and 64 letters and digits."
            raise InputError("That is no head of an audit", hint)
        return cls(int(match[1]), match[2])


NONE = Head(0, "0" * 64)


def read_head(folder: Path, key: bytes) -> Head | None:
    """Return the head that lies in an audit's folder; None where it is missing or isn't what was written."""
    try:
        content = (folder / NAME).read_bytes()
        head = Head.parse(content.decode("ascii").rpartition(":")[0])
    except (OSError, ValueError, InputError):
        return None
    return head if hmac.compare_digest(content, _content(head, key)) else None


def begin_head(folder: Path, key: bytes) -> None:
    """Write the head of an audit without lines, where there is none at all."""
    if not os.path.lexists(folder / NAME):
        write_bytes(folder / NAME, _content(NONE, key), mode=0o600)


def write_head(folder: Path, key: bytes, head: Head) -> None:
    """Write over the head that lies there, or write it anew where it is missing or of another size.

    It isn't flushed: after a power cut an older one may be there, and one that lines go beyond is no fault.
    """
    content = _content(head, key)
    try:
        descriptor = os.open(folder / NAME, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        write_bytes(folder / NAME, content, mode=0o600)
        return
    try:
        whole = os.fstat(descriptor).st_size == len(content) == os.pwrite(descriptor, content, 0)
    finally:
        os.close(descriptor)
    if not whole:
        write_bytes(folder / NAME, content, mode=0o600)


def _content(head: Head, key: bytes) -> bytes:
    """Always as long, and well within a disk's sector, which is written whole or not at all."""
    text = f"{head.seq:018}:{head.mac}"
    return f"{text}:{sign(key, text.encode()).hex()}\n".encode()
