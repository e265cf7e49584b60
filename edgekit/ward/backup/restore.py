"""A backup brought back: everything is looked at first, then all of it takes its place, or nothing does.

What was deleted since the backup was made has no key any more. It is taken out, and counted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import EdgeKitError
from edgekit.files import new_directory, require_space, write_bytes
from edgekit.progress import Progress, silent
from edgekit.ward.audit.anchored import open_audit
from edgekit.ward.audit.head import Head
from edgekit.ward.audit.here import FOLDER as AUDIT
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import lines
from edgekit.ward.backup import manifest
from edgekit.ward.backup.archive import Reader, open_archive
from edgekit.ward.backup.keys import Keys, read_keys
from edgekit.ward.backup.manifest import Manifest
from edgekit.ward.backup.reconcile import Reconciled, reconcile
from edgekit.ward.backup.take_in import RESTORED, begun, prepare, take_in
from edgekit.ward.database import Damaged, Database
from edgekit.ward.keys import KEYS, WARD, Master, is_there, key_file, load
from edgekit.ward.lock import ServingLock
from edgekit.ward.opening import open_databases
from edgekit.ward.pictures import FOLDER as PICTURES

_AUDIT = r"(?:head|[0-9]{12}(?:\.jsonl|-[0-9]+\.torn))"
_NAMES = re.compile(rf"{WARD}|{PICTURES}/[0-9a-f]{{2}}/[0-9a-f]{{64}}|{AUDIT}/{_AUDIT}")


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What was brought back.

    * ``made``: when the backup was made, by that machine's clock
    * ``conversations`` that can be read now; ``turns`` and ``pictures`` that are there
    * ``deleted``: conversations that were deleted since, and are not; ``lost``: those that can't be read until newer
      keys are there; ``missing``: pictures that the backup has not
    * ``replaced``: where what was there before was moved to, ``key``: where the master key was written; None: nowhere
    * ``audit_kept``: whether the audit that was there goes on, since it has the backup's in it
    """

    made: str
    conversations: int
    turns: int
    pictures: int
    deleted: int
    lost: int
    missing: int
    replaced: Path | None
    key: Path | None
    audit_kept: bool

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        paths = {"replaced": self.replaced, "key": self.key}
        return {**vars(self), **{name: None if path is None else str(path) for name, path in paths.items()}}


def restore(source: Path, keys_file: Path, state: Path, who: str, progress: Progress = silent) -> Restored:
    """Bring the backup ``source`` back into ``state``, with the keys of ``keys_file``; ``who`` is noted in the audit.

    :class:`~edgekit.errors.EdgeKitError` where a service runs, the keys don't fit, or anything is damaged: then what
    is there is as it was.
    """
    with _alone(state):
        if begun(state):
            take_in(state)
        keys = read_keys(keys_file)
        with open_archive(source) as archive:
            content = archive.manifest()
            contents = manifest.read(content, archive.origin, keys.master)
            _require_same_key(keys.master)
            with new_directory(state / RESTORED, replace=True) as folder:
                _copy(archive, contents, folder, state, progress)
                write_bytes(folder / KEYS, keys.database, mode=0o600)
                reconciled = reconcile(folder, keys.master, _deleted_here(state, keys.master))
                audit_kept = _keep_audit(folder / AUDIT, state / AUDIT, keys, contents)
                prepare(folder, state)
                _give(folder, state)
            written = _write_key(keys.master)
        replaced = take_in(state)
        _note(state, keys.master, who, content, reconciled)
    return _restored(contents, reconciled, replaced, written, audit_kept)


def _restored(
    contents: Manifest, reconciled: Reconciled, replaced: Path | None, written: Path | None, audit_kept: bool
) -> Restored:
    return Restored(made=contents.made, **vars(reconciled), replaced=replaced, key=written, audit_kept=audit_kept)


def _note(state: Path, master: Master, who: str, content: bytes, reconciled: Reconciled) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    with closing(open_databases(state, master)) as database:
        audit = open_audit(state, database, master)
        audit.note("restored", who, sha256=sha256, count=reconciled.conversations, number=reconciled.deleted)


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    lock = ServingLock(state)
    try:
        yield
    finally:
        lock.release()


def _require_same_key(master: Master) -> None:
    path = key_file()
    if path.exists() and load(path) != master:
        raise EdgeKitError(
            f"{path} is the key of another ward than this backup's",
            "Move it aside if what it locks is not needed here any more, then restore again.",
        )


def _write_key(master: Master) -> Path | None:
    """Write the master key where this machine has none; where that is."""
    path = key_file()
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, f"{master.secret.hex()}\n".encode(), mode=0o400)
    return path


def _copy(archive: Reader, contents: Manifest, folder: Path, state: Path, progress: Progress) -> None:
    """Write every file of a backup below ``folder``, each compared with its hash."""
    require_space(state / RESTORED, contents.bytes)
    if WARD not in contents.files or not all(map(_NAMES.fullmatch, contents.files)):
        raise EdgeKitError(f"{archive.origin} holds what no backup does", "Use the EdgeKit that made it.")
    for name in (PICTURES, AUDIT):
        (folder / name).mkdir(mode=0o700)
    done = 0
    for name, entry in contents.files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        archive.copy_out(name, entry, path)
        done += entry.bytes
        progress("restore", done, contents.bytes)


def _deleted_here(state: Path, master: Master) -> set[str]:
    """What was deleted on this machine, also where the keys' copy is older."""
    if not is_there(state / KEYS):
        return set()
    try:
        with closing(Database(state / KEYS, master.derive(KEYS))) as database:
            return {row[0] for row in database.rows("SELECT conversation FROM deleted")}
    except Damaged:
        return set()


def _keep_audit(folder: Path, current: Path, keys: Keys, contents: Manifest) -> bool:
    """Leave the backup's audit out where the one that is here goes on from it; whether that is so."""
    key, head = audit_key(keys.master), Head.parse(contents.head)
    kept = any(line.seq == head.seq and line.mac == head.mac for line in lines(current, key))
    if kept:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    return kept


def _give(folder: Path, state: Path) -> None:
    """Give all that root wrote to whom the service's folder belongs."""
    owner = state.stat()
    if os.geteuid() == 0 != owner.st_uid:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
