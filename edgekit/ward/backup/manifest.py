"""What a backup says of itself: every file with its hash, signed by a key that follows from the ward's master key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.bundle.hashes import FileEntry
from edgekit.errors import EdgeKitError
from edgekit.ward.keys import Master

NAME = "manifest.json"
FORMAT = 1
_AGAIN = "Take another backup, or copy this one again from where it was made."


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A backup's contents.

    * ``edgekit``: the version that made it, ``made``: when, by that machine's clock
    * ``ward``: the random name of the ward that it is of
    * ``head``: how far its audit goes
    * ``conversations``, ``turns``, ``pictures``: how many of each
    * ``files``: all but the manifest, by name
    """

    format: int
    edgekit: str
    made: str
    ward: str
    head: str
    conversations: int
    turns: int
    pictures: int
    files: Mapping[str, FileEntry]

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.files.values())


def write(manifest: Manifest, master: Master) -> bytes:
    """Return a manifest's file."""
    document = config.dump(manifest)
    return (json.dumps({**document, "mac": _mac(document, master)}, indent=1) + "\n").encode()


def read(content: bytes, origin: str, master: Master) -> Manifest:
    """Read a manifest's file; :class:`~edgekit.errors.EdgeKitError` where it is damaged, of another ward, or of a later
    EdgeKit. ``origin`` names it.
    """
    try:
        document: Any = json.loads(content)
        mac = document.pop("mac")
        signed = hmac.compare_digest(mac, _mac(document, master))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise EdgeKitError(f"{origin} is no backup, or its manifest is damaged", _AGAIN) from None
    if not signed:
        raise EdgeKitError(
            f"The keys are not those of {origin}, or its manifest was changed",
            "Give the file that `edgekit backup --keys` made on the machine that this is a backup of.",
        )
    config.require_format(document, FORMAT, origin, "Use the EdgeKit that made it, or a later one.")
    return config.load(Manifest, document, origin)


def damaged(origin: str, name: str) -> EdgeKitError:
    """Return the error that a file of a backup isn't what was written."""
    return EdgeKitError(f"{origin} is damaged: {name} is not what was backed up", _AGAIN)


def _mac(document: Mapping[str, Any], master: Master) -> str:
    text = json.dumps(document, sort_keys=True).encode()
    return hmac.digest(master.derive("backup"), text, hashlib.sha256).hex()
