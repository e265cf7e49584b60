"""An audit as far as it goes at one moment, while others write it on: lines that stand never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgekit.ward.audit.head import NAME, Head, read_head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.segments import segments, unreadable, unwritten


@dataclass(frozen=True)
class Snapshot:
    """The ``head`` beside the lines (None: it is missing, or isn't what was written) and its file, ``sealed``; and the
    size of each file of lines."""

    head: Head | None
    sealed: bytes
    sizes: Mapping[Path, int]


def snapshot(folder: Path, keys: AuditKeys) -> Snapshot:
    """Look at an audit between two lines; :class:`~edgekit.errors.EdgeKitError` where it can't be read."""
    try:
        with unwritten(folder):
            head = read_head(folder, keys.head)
            sealed = (folder / NAME).read_bytes() if head else b""
            return Snapshot(head, sealed, {path: path.stat().st_size for path in segments(folder)})
    except OSError as error:
        raise unreadable(folder, error) from None
