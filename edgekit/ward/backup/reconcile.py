"""Data and keys of two moments made one: what was deleted goes, and so does who was signed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.ward.keys import KEYS, WARD, Master
from edgekit.ward.pictures import FOLDER, PictureFiles
from edgekit.ward.ward import Ward

_NO_TURN = "id NOT IN (SELECT picture FROM main.turn_pictures)"


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What is left to be read, and to be kept; how many conversations were ``deleted``, how many can't be read since
    their keys are ``lost``, and how many pictures are ``missing``."""

    conversations: int
    turns: int
    pictures: int
    deleted: int
    lost: int
    missing: int


def reconcile(folder: Path, master: Master, deleted: Iterable[str]) -> Reconciled:
    """Take out of a restored ward in ``folder`` what is ``deleted`` (ids), by its own keys too, and who is signed in.

    :class:`~edgekit.errors.EdgeKitError` where a database is damaged, or the keys are another ward's.
    """
    with Ward.open(folder, master) as ward:
        if ward.database.faults():
            raise EdgeKitError("The backup's database or its keys are damaged", "Take another backup.")
        for id in deleted:
            ward.keyring.destroy(id)
        before = _count(ward, "conversations")
        ward.conversations.remove_deleted()
        gone = before - _count(ward, "conversations")
        with ward.database.transaction():
            ward.database.change("DELETE FROM main.sessions")
            ward.database.change("DELETE FROM main.invitations")
        ward.pictures.sweep()
        lost = ward.keyring.lost()
        missing = _missing(ward)
        counts = {name: _count(ward, name) for name in ("conversations", "turns", "pictures")}
        counts["conversations"] -= lost
        for name in ("main", "keys"):
            ward.database.rows(f"PRAGMA {name}.journal_mode = DELETE")  # one file each, nothing beside it
    for name in (WARD, KEYS):
        assert not [*folder.glob(f"{name}-*")], "closed, it is one file"
    return Reconciled(**counts, deleted=gone, lost=lost, missing=missing)


def _missing(ward: Ward) -> int:
    """Forget pictures that were removed while the backup was made; how many are missing of those that were asked
    about."""
    files = PictureFiles(ward.state / FOLDER, b"")
    rows = ward.database.rows("SELECT id, file FROM main.pictures")
    missing = [id for id, file in rows if not files.path(file).exists()]
    with ward.database.transaction():
        for id in missing:
            ward.database.change(f"DELETE FROM main.pictures WHERE id = ? AND {_NO_TURN}", (id,))
    return sum(ward.database.row("SELECT 1 FROM main.pictures WHERE id = ?", (id,)) is not None for id in missing)


def _count(ward: Ward, table: str) -> int:
    row = ward.database.row(f"SELECT count(*) FROM main.{table}")
    assert row
    return int(row[0])
