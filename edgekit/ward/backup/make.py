"""A backup of what a ward keeps, while its service runs.

The database is copied first, of one moment; then every picture that the copy names: a picture's file never changes, and
is on the disk before its row is. What was deleted meanwhile is left out. Then comes the audit, which tells of all that
the database holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import __version__
from edgekit.errors import EdgeKitError
from edgekit.files import require_space, scratch
from edgekit.machine.system import utc_now
from edgekit.progress import Progress, silent
from edgekit.ward.audit.anchored import open_audit
from edgekit.ward.audit.head import NAME as HEAD
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.here import FOLDER as AUDIT
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.snapshot import snapshot
from edgekit.ward.backup import manifest
from edgekit.ward.backup.archive import Writer, new_archive
from edgekit.ward.backup.copies import copy_database
from edgekit.ward.backup.manifest import Manifest
from edgekit.ward.database import Database
from edgekit.ward.keys import WARD, Master
from edgekit.ward.opening import open_databases
from edgekit.ward.pictures import FOLDER as PICTURES
from edgekit.ward.pictures import PictureFiles
from edgekit.ward.sealing import unseal_bytes


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup that was made at ``place``. ``damaged`` are pictures' files that are not what was written."""

    place: Path
    bytes: int
    conversations: int
    turns: int
    pictures: int
    head: str
    damaged: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**vars(self), "place": str(self.place), "damaged": list(self.damaged)}


def back_up(state: Path, master: Master, place: Path, who: str, progress: Progress = silent) -> Backup:
    """Back up what ``state`` keeps into ``place``, a folder or a ``.tar`` that is not there yet, and note in the audit
    that ``who`` did.

    :class:`~edgekit.errors.EdgeKitError` where the database is damaged, or ``place`` can't be written: nothing is there
    then.
    """
    with (
        closing(open_databases(state, master)) as live,
        scratch(state / "backup") as folder,
        new_archive(place) as archive,
    ):
        audit = open_audit(state, live, master)
        copy = folder / WARD
        copy_database(state / WARD, copy, master.derive(WARD))
        archive.put_file(WARD, copy, copy.stat().st_size)
        with closing(Database(copy, master.derive(WARD))) as database:
            damaged = tuple(_pictures(database, live, state, archive, progress))
            head = _audit(state / AUDIT, master, archive)
            made = _manifest(database, archive, str(head))
        content = manifest.write(made, master)
        archive.put(manifest.NAME, content)
        sha256 = archive.files[manifest.NAME].sha256
        audit.note("backup", who, sha256=sha256, count=made.conversations, bytes=made.bytes)
    return Backup(
        place=place,
        bytes=made.bytes + len(content),
        conversations=made.conversations,
        turns=made.turns,
        pictures=made.pictures,
        head=made.head,
        damaged=damaged,
    )


def _pictures(database: Database, live: Database, state: Path, archive: Writer, progress: Progress) -> Iterator[str]:
    """Take every picture that the copied ``database`` names; the names of those that are damaged."""
    files = PictureFiles(state / PICTURES, b"")
    rows = database.rows("SELECT file, conversation FROM pictures ORDER BY file")
    for number, (name, conversation) in enumerate(rows, 1):
        path = files.path(name)
        try:
            size = path.stat().st_size
            require_space(archive.place, size)
            content = path.read_bytes()
        except OSError:
            if _is_kept(live, name):
                yield name
            continue
        row = live.row("SELECT key FROM keys.keys WHERE conversation = ?", (conversation,))
        if row is None:  # deleted since, or its key is lost: nobody can read it
            continue
        archive.put(f"{PICTURES}/{name[:2]}/{name}", content)
        if not _opens(row[0], name, content):
            yield name
        progress("pictures", number, len(rows))


def _is_kept(live: Database, name: str) -> bool:
    """Whether a picture is still there to be kept: not removed since the database was copied."""
    query = "SELECT 1 FROM main.pictures p JOIN keys.keys k ON k.conversation = p.conversation WHERE p.file = ?"
    return live.row(query, (name,)) is not None


def _opens(key: bytes, name: str, content: bytes) -> bool:
    try:
        unseal_bytes(key, f"picture {name}", content)
    except EdgeKitError:
        return False
    return True


def _audit(folder: Path, master: Master, archive: Writer) -> Head:
    """Take the audit as far as it goes now; its head, or that of an audit that has none."""
    seen = snapshot(folder, AuditKeys.of(audit_key(master)))
    for path, size in seen.sizes.items():
        archive.put_file(f"{AUDIT}/{path.name}", path, size)
    for path in sorted(folder.glob("*.torn")):
        archive.put_file(f"{AUDIT}/{path.name}", path, path.stat().st_size)
    if seen.head is not None:
        archive.put(f"{AUDIT}/{HEAD}", seen.sealed)
    return seen.head or NONE


def _manifest(database: Database, archive: Writer, head: str) -> Manifest:
    ward = database.row("SELECT value FROM meta WHERE name = 'ward'")
    assert ward, "opening it named it"
    counts = [database.row(f"SELECT count(*) FROM {table}") for table in ("conversations", "turns", "pictures")]
    conversations, turns, pictures = (int(row[0]) for row in counts if row)
    return Manifest(
        format=manifest.FORMAT,
        edgekit=__version__,
        made=utc_now(),
        ward=ward[0],
        head=head,
        conversations=conversations,
        turns=turns,
        pictures=pictures,
        files=archive.files.copy(),
    )
