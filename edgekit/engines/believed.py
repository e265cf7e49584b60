"""Which compiled forms an installed bundle believes: those whose files stand, by their hashes, in a record.

A plan is code that a GPU runs, and what a service answers by. An installed bundle has a link ``engines.json``, laid by
the installer as ``engines`` is, to a record that is root's and that whoever compiles as root writes: the service can
read it, and not change it. A form that is not in it is passed over, whoever laid it there; and a plan is hashed as it
is read, so that neither a disk nor a hand changes it unseen. A bundle without that link is its owner's own affair: its
lock alone counts.
"""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.bundle.hashes import FileEntry, Sealed, check_hashes, hash_files
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import BundleError, ConfigError

RECORD = "engines.json"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Believed:
    """The files of forms, each by its name, by the names of the forms' folders."""

    format: int = _FORMAT
    forms: dict[str, dict[str, FileEntry]]


def record_for(bundle: Bundle) -> Path | None:
    """Return where the record of a bundle's forms lies, whether it is there yet or not; None for a bundle that is not
    installed.

    A link counts that root laid, or whoever runs this, in a folder of theirs: root writes where it leads, and follows
    nobody else's there.
    """
    link = bundle.path / RECORD
    try:
        is_laid, folder = stat.S_ISLNK((laid := os.lstat(link)).st_mode), os.stat(bundle.path)
    except OSError:
        return None
    is_ours = {laid.st_uid, folder.st_uid} <= _trusted() and not folder.st_mode & stat.S_IWOTH
    return Path(os.path.realpath(link)) if is_laid and is_ours else None


def believe(bundle: Bundle, folder: Path) -> None:
    """Note the form in ``folder``, whole and just made, as it is; nothing where the bundle has no record.

    :class:`~edgekit.errors.EdgeKitError` as of the disk.
    """
    record = record_for(bundle)
    if record is None:
        return
    kept: dict[str, dict[str, FileEntry]] = {}
    with suppress(ConfigError):  # one that can't be read believes nothing
        kept = _forms(record)
    there = {name: files for name, files in kept.items() if (folder.parent / name).is_dir()}
    write_json(record, Believed(forms=there | {folder.name: hash_files(folder)}))


def doubt(bundle: Bundle, folder: Path, small: Path) -> str:
    """Say why an installed bundle does not believe the form in ``folder``; "" where it does, as far as the record and
    ``small``, its lock, tell."""
    record = record_for(bundle)
    if record is None:
        return ""
    try:
        entry = _forms(record).get(folder.name, {}).get(small.name)
    except ConfigError as error:
        return f"the compiled form is not believed: {error.message}"
    if entry is None:
        return f"the compiled form is not believed: it does not stand in {record}"
    return "" if _is(small, entry) else f"the compiled form is not believed: {record} has another {small.name}"


def digests(bundle: Bundle, folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) that each file of an installed bundle's form has to have; {} for any other bundle.

    :class:`ConfigError` where the record can't be read.
    """
    record = record_for(bundle)
    files = _forms(record).get(folder.name, {}) if record else {}
    return {name: entry.sha256 for name, entry in files.items()}


def is_whole(bundle: Bundle, folder: Path) -> bool:
    """Whether every file of a form is as the record has it, all of it read; True for a bundle that is not installed."""
    record = record_for(bundle)
    if record is None:
        return True
    try:
        files = _forms(record).get(folder.name, {})
        check_hashes([Sealed(folder / name, entry, "compile it again") for name, entry in files.items()])
    except (BundleError, ConfigError):
        return False
    return bool(files)


def compile_again(bundle: Bundle) -> str:
    """Return what to do where a bundle has no form that can be used."""
    if record_for(bundle) is None:
        return f"Run: edgekit compile {shlex.quote(str(bundle.path))}"
    return "Run `sudo edgekit install` with the same bundle: it compiles again what can't be used."


def _trusted() -> set[int]:
    """The users whose links are followed."""
    return {0, os.geteuid()}


def _forms(record: Path) -> dict[str, dict[str, FileEntry]]:
    """Of a record that is there; a fresh installation has none."""
    if not record.exists():
        return {}
    return load_json(record, Believed, _FORMAT, "Install again: it is written anew.").forms


def _is(path: Path, entry: FileEntry) -> bool:
    try:
        check_hashes([Sealed(path, entry, "")])
    except BundleError:
        return False
    return True
