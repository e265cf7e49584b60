"""Pictures of conversations: facts in the database, pixels in encrypted files, each named by a keyed hash of its
content within its conversation.

STATE/pictures/ab/ab…   AES-256-GCM under the conversation's key; the name is 64 hexadecimal digits

The same picture in two conversations has two names and two keys: nobody sees that they are one. A file is on the disk
before its row is; one that a crash left without a row is removed at the next start.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.config.state import make_private
from edgekit.errors import EdgeKitError, InUse, NotHere
from edgekit.files import write_bytes
from edgekit.inputs.kept.picture import KeptPicture
from edgekit.ward.access import reach, reached, touch
from edgekit.ward.database import Database, Row
from edgekit.ward.ids import new_id
from edgekit.ward.moments import Clock
from edgekit.ward.sealing import seal, seal_bytes, unseal, unseal_bytes

FOLDER = "pictures"
_NAME = re.compile(r"[0-9a-f]{64}")
_COLUMNS = "p.id, p.sealed, k.key"
_JOIN = "JOIN pictures p ON p.conversation = c.id"


@dataclass(frozen=True, kw_only=True)
class StoredPicture:
    """A picture that is kept: of ``media_type`` and ``bytes``, with facts, notes and warnings as JSON has them."""

    id: str
    media_type: str
    bytes: int
    facts: Mapping[str, Any]
    notes: tuple[str, ...]
    warnings: tuple[Mapping[str, Any], ...]


class PictureFiles:
    """The encrypted files in ``folder``, named by ``key``."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._key = key

    def name(self, conversation: str, content: bytes) -> str:
        """Return the name of a content within a conversation."""
        return hmac.digest(self._key, conversation.encode() + b"\0" + content, hashlib.sha256).hex()

    def path(self, name: str) -> Path:
        """Return where the file of that name lies."""
        return self.folder / name[:2] / name

    def write(self, name: str, key: bytes, content: bytes) -> None:
        """Write a file durably, whole or not at all."""
        path = self.path(name)
        make_private(path.parent)
        write_bytes(path, seal_bytes(key, f"picture {name}", content), mode=0o600)

    def read(self, name: str, key: bytes) -> bytes:
        """Return a file's content; :class:`~edgekit.errors.EdgeKitError` where it is gone or damaged."""
        path = self.path(name)
        try:
            sealed = path.read_bytes()
        except OSError as error:
            raise EdgeKitError(
                f"{path}, a picture that is kept, can't be read: {error.strerror}",
                "Restore a backup (edgekit restore); the conversation's texts are whole.",
            ) from error
        return unseal_bytes(key, f"picture {name}", sealed)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there; where the system refuses, the next start removes it."""
        with suppress(OSError):
            self.path(name).unlink(missing_ok=True)

    def sweep(self, names: set[str]) -> int:
        """Remove the files that are none of ``names``: for a start, when nobody writes any. How many that were."""
        swept = 0
        for path in [path for path in self.folder.glob("*/*") if path.is_file()]:
            if path.name not in names or not _NAME.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()
                    swept += 1
        return swept


class Pictures:
    """The pictures of a ward's conversations."""

    def __init__(self, database: Database, files: PictureFiles, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    def add(self, owner: str, conversation: str, kept: KeptPicture) -> StoredPicture:
        """Store a picture durably; one that the conversation has already is that.

        :class:`~edgekit.errors.NotHere`, :class:`~edgekit.errors.NotAllowed`; :class:`~edgekit.errors.DiskFull`.
        """
        with self._database.transaction():
            place = reach(self._database, owner, conversation)
            place.require("own", "ask")
            file = self._files.name(conversation, kept.file)
            statement = "SELECT id FROM pictures WHERE conversation = ? AND file = ?"
            row = self._database.row(statement, (conversation, file))
            id = row[0] if row else new_id()
            if row is None:
                self._files.write(file, place.key, kept.file)  # before its row: what has one is there
                self._insert(id, conversation, file, seal(place.key, f"picture {id}", _document(kept)))
        return self._get(owner, conversation, id)

    def of(self, owner: str, conversation: str) -> tuple[StoredPicture, ...]:
        """Return a conversation's pictures in the order they came; none where ``owner`` does not reach it."""
        query = reached(_COLUMNS, _JOIN, "AND c.id = :conversation ORDER BY p.place")
        return tuple(map(_picture, self._database.rows(query, {"owner": owner, "conversation": conversation})))

    def named(self, owner: str, conversation: str, id: str) -> StoredPicture | None:
        """Return one picture of a conversation; None where ``owner`` does not reach it, or there is none."""
        row = self._row(_COLUMNS, owner, conversation, id)
        return None if row is None else _picture(row)

    def file(self, owner: str, conversation: str, id: str) -> bytes:
        """Return a picture's content; :class:`~edgekit.errors.NotHere`, and
        :class:`~edgekit.errors.EdgeKitError` where its file is gone or damaged.
        """
        row = self._row("p.file, k.key", owner, conversation, id)
        if row is None:
            raise _not_here()
        return self._files.read(*row)

    def is_removable(self, id: str) -> bool:
        """Say whether no turn shows a picture to the model."""
        return self._database.row("SELECT 1 FROM turn_pictures WHERE picture = ?", (id,)) is None

    def remove(self, owner: str, conversation: str, id: str, confirm: Callable[[], object] = lambda: None) -> None:
        """Remove a picture for good; :class:`~edgekit.errors.InUse` where a turn shows it to the model.

        ``confirm`` is called before, and may raise to have nothing done. :class:`~edgekit.errors.NotHere`,
        :class:`~edgekit.errors.NotAllowed`.
        """
        with self._database.transaction():
            reach(self._database, owner, conversation).require("own", "ask")
            row = self._row("p.file", owner, conversation, id)
            if row is None:
                raise _not_here()
            if not self.is_removable(id):
                raise InUse("A question was asked about this picture", "Delete the conversation, or keep both.")
            confirm()
            self._database.change("DELETE FROM pictures WHERE id = ?", (id,))
        self._files.remove(row[0])

    def sweep(self) -> int:
        """Remove the files that a crash left without a row; how many that were."""
        return self._files.sweep({row[0] for row in self._database.rows("SELECT file FROM pictures")})

    def _insert(self, id: str, conversation: str, file: str, sealed: bytes) -> None:
        self._database.change(
            "INSERT INTO pictures (id, conversation, file, sealed, place)"
            " SELECT ?, ?, ?, ?, coalesce(max(place), 0) + 1 FROM pictures WHERE conversation = ?",
            (id, conversation, file, sealed, conversation),
        )
        touch(self._database, conversation, self._clock().wall_s)

    def _row(self, columns: str, owner: str, conversation: str, id: str) -> Row | None:
        query = reached(columns, _JOIN, "AND c.id = :conversation AND p.id = :id")
        return self._database.row(query, {"owner": owner, "conversation": conversation, "id": id})

    def _get(self, owner: str, conversation: str, id: str) -> StoredPicture:
        picture = self.named(owner, conversation, id)
        assert picture
        return picture


def _document(kept: KeptPicture) -> dict[str, Any]:
    return {
        "media_type": kept.media_type,
        "bytes": len(kept.file),
        "facts": config.dump(kept.facts),
        "notes": list(kept.notes),
        "warnings": config.dump(list(kept.warnings)),
    }


def _picture(row: Row) -> StoredPicture:
    id, sealed, key = row
    document = unseal(key, f"picture {id}", sealed)
    notes, warnings = document.pop("notes"), document.pop("warnings")
    return StoredPicture(id=id, notes=tuple(notes), warnings=tuple(warnings), **document)


def _not_here() -> NotHere:
    return NotHere("There is no such picture in this conversation", "It may have been removed.")
