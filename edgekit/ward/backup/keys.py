"""The keys' copy: one file with the master key and ``keys.db``, to be kept apart from the backups of the data.

Whoever has it and a backup can read all that was not deleted before it was made. So it is its owner's alone, is never
part of a backup, and is made anew often: one that is older than a conversation has no key for it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.errors import EdgeKitError
from edgekit.files import scratch, write_bytes, writing
from edgekit.machine.system import utc_now
from edgekit.ward.audit.anchored import open_audit_alone
from edgekit.ward.backup.archive import open_archive
from edgekit.ward.backup.copies import copy_database
from edgekit.ward.backup.manifest import NAME, read
from edgekit.ward.keys import KEYS, WARD, Master, is_there

FORMAT = 1
_GIVE = "Give the file that `edgekit backup --keys` made."


@dataclass(frozen=True)
class Keys:
    """The ``master`` key, and the file of ``keys.db``."""

    master: Master
    database: bytes = field(repr=False)


def copy_keys(state: Path, master: Master, path: Path, who: str) -> None:
    """Write the keys of the ward in ``state`` to ``path``, its owner's alone, in place of an older copy, and note in
    the audit that ``who`` did.

    :class:`~edgekit.errors.EdgeKitError` where there are none, or they are damaged, or ``path`` can't be written.
    """
    if not is_there(state / KEYS):
        raise EdgeKitError(f"There are no keys in {state}", "Nothing is kept there yet.")
    with writing(state), scratch(state / "keys-copy") as folder:
        copy = folder / KEYS
        copy_database(state / KEYS, copy, master.derive(KEYS))
        content = copy.read_bytes()
    document = {
        "format": FORMAT,
        "what": "the keys of an EdgeKit ward: whoever has this and a backup can read it",
        "made": utc_now(),
        "master": master.secret.hex(),
        "keys_db": base64.b64encode(content).decode(),
    }
    open_audit_alone(state, master).note("keys_copied", who)
    write_bytes(path, (json.dumps(document, indent=1) + "\n").encode(), mode=0o600)


def read_keys(path: Path) -> Keys:
    """Read what :func:`copy_keys` wrote; :class:`~edgekit.errors.EdgeKitError` where it is none or damaged."""
    try:
        document: Any = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise EdgeKitError(f"{path} is of a newer EdgeKit", "Use the EdgeKit that made it, or a later one.")
        master = bytes.fromhex(document["master"])
        database = base64.b64decode(document["keys_db"], validate=True)
    except OSError as error:
        raise EdgeKitError(f"{path} can't be read: {error.strerror}", "Check the path and its permissions.") from None
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
        raise EdgeKitError(f"{path} holds no keys of a ward, or is damaged", _GIVE) from None
    if len(master) != 32 or not database:
        raise EdgeKitError(f"{path} holds no keys of a ward, or is damaged", _GIVE)
    return Keys(Master(master), database)


def require_apart(keys: Path, state: Path, place: Path | None, master: Master) -> None:
    """Refuse to write keys where what they lock lies: into the folder ``state`` or any backup's, beside the backup that
    is made at ``place``, or beside an older one of the ward that ``master`` is the key of.
    """
    file = Path(os.path.realpath(keys))
    backups = [folder for folder in keys.absolute().parents if (folder / NAME).is_file() and (folder / WARD).is_file()]
    for data in (state, *([] if place is None else [place]), *backups):
        if file.is_relative_to(os.path.realpath(data)):
            raise _together(keys, f"lies in {data}")
    if place is not None and file.parent == Path(os.path.realpath(place)).parent:
        raise _together(keys, f"would lie beside {place}")
    readable = file.parent.is_dir() and os.access(file.parent, os.R_OK)
    for name in sorted(os.listdir(file.parent)) if readable else ():
        if _is_backup_of(file.parent / name, master):
            raise _together(keys, f"would lie beside the backup {file.parent / name}")


def _is_backup_of(place: Path, master: Master) -> bool:
    try:
        if not ((place.suffix == ".tar" and place.is_file()) or (place / NAME).is_file()):
            return False
        with open_archive(place) as archive:
            read(archive.manifest(), archive.origin, master)
    except (EdgeKitError, OSError):
        return False
    return True


def _together(keys: Path, words: str) -> EdgeKitError:
    hint = "Keep them apart: another disk, another building, another person."
    return EdgeKitError(f"{keys} {words}: keys beside what they lock protect nothing", hint)
