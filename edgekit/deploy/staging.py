"""A bundle and its code become a release: whole, on the disk, read back; or nothing.

The order is what holds when the power goes at any moment: everything is written into a folder of another name, the file
system is flushed, all of it is read back from the disk and hashed, the folder is renamed, and the rename is flushed. A
folder under a release's name is therefore whole. What a killed run has left is cleared by the next.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgekit.bundle import MANIFEST, Bundle, open_bundle, sealed_files
from edgekit.bundle.hashes import FileEntry, Sealed, check_hashes, hash_files
from edgekit.config.state import flush_folder
from edgekit.deploy.copying import Copy, copy_checked, make_folder
from edgekit.deploy.durable import flushed, read_back
from edgekit.deploy.layout import BUNDLE, SITE, SYSTEM, Layout
from edgekit.deploy.record import SHORT, Record, read_files, read_record, record_of, sealed_in, write_record
from edgekit.deploy.room import held, require_room, room_of
from edgekit.deploy.sharing import Earlier
from edgekit.deploy.site.code import Code
from edgekit.deploy.site.reused import compile_reusing
from edgekit.deploy.site.system import link_packages
from edgekit.errors import BundleError, ConfigError, EdgeKitError
from edgekit.files import writing
from edgekit.progress import Progress, silent

_PARTIAL = re.compile(r"\.[0-9a-f]{64}\.partial")
_MODE = 0o644
_DISK = "the disk does not keep what is written to it: replace it, then install again"
_AGAIN = "remove the release's folder, then install again"


def stage(bundle: Bundle, code: Code, layout: Layout, unit: str, progress: Progress = silent) -> Record:
    """Write ``bundle`` and ``code`` as a release of ``layout``, and return its record; nothing is switched.

    ``unit`` is the digest of the unit's template. A release that is there already is compared with its hashes and taken
    as it is; a damaged one is written anew, unless it is the current one.

    :class:`~edgekit.errors.DiskFull` before the first byte where two releases don't fit,
    :class:`~edgekit.errors.BundleError` where a file is not what was sealed, :class:`EdgeKitError` where the disk
    refuses, or another process is writing a release. However it ends but well, nothing of the release is left.
    """
    record = record_of(bundle.digest, code.packages(), unit)
    make_folder(layout.releases)
    with _alone(layout):
        _clear(layout)
        if _is_there(layout, record.identity, progress):
            return record
        earlier = Earlier(layout)
        sealed = [entry for entry in bundle.manifest.files.values() if earlier.holds(entry)]
        release = room_of(entry.bytes for entry in bundle.manifest.files.values()) + code.room()
        shared = room_of(entry.bytes for entry in sealed)
        require_room(layout.releases, release, shared, held(layout.releases))
        partial = layout.partial(record.identity)
        try:
            _fill(layout, bundle, code, record, earlier, progress)
            with writing(layout.releases):
                partial.rename(layout.release(record.identity))
                flush_folder(layout.releases)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return record


def verify_release(folder: Path, identity: str, progress: Progress = silent) -> Record:
    """Read a whole release, compare every file with its hash, and return its record.

    :class:`ConfigError` where its record or its list of files is damaged, :class:`BundleError` names another file.
    """
    record, files = read_record(folder, identity), read_files(folder)
    if open_bundle(folder / BUNDLE).digest != record.bundle:
        raise BundleError(
            f"{folder / BUNDLE} is not the bundle that the release was made of", f"{_AGAIN.capitalize()}."
        )
    check_hashes(sealed_in(folder, files, _AGAIN), progress)
    return record


def remove_release(layout: Layout, identity: str) -> None:
    """Remove a release; :class:`EdgeKitError` where it is the current one, or the disk refuses.

    Whenever the power goes, it is there whole, or the next run clears what is left of it.
    """
    if layout.running() == identity:
        raise EdgeKitError(f"Release {identity[:SHORT]} is the current one", "Switch to another one first.")
    with _alone(layout):
        _remove(layout, identity)


def _fill(layout: Layout, bundle: Bundle, code: Code, record: Record, earlier: Earlier, progress: Progress) -> None:
    """Write a release into a new folder, flush it, and read back all that is not an earlier one's."""
    partial = layout.partial(record.identity)
    make_folder(partial)
    with flushed(partial):
        files, linked = _copy_bundle(partial / BUNDLE, bundle, earlier, progress)
        code.write(partial / SITE, functools.partial(compile_reusing, earlier))
        site = {partial / SITE / name: entry for name, entry in hash_files(partial / SITE, progress).items()}
        linked |= earlier.link(site, progress=progress)
        files |= site
        link_packages(partial / SYSTEM, bundle.manifest.target.kind.modules, partial / SITE, layout, record.python)
        write_record(partial, record, {path.relative_to(partial).as_posix(): entry for path, entry in files.items()})
    written = [Sealed(path, entry, _DISK) for path, entry in files.items() if path not in linked]
    read_back(written, progress)


def _copy_bundle(
    folder: Path, bundle: Bundle, earlier: Earlier, progress: Progress
) -> tuple[dict[Path, FileEntry], set[Path]]:
    """The sealed files and the manifest: what is in the folder then, and which are links to an earlier release's."""
    manifest = bundle.path / MANIFEST
    remedy = "copy or build the bundle again"
    sealed = [*sealed_files(bundle), Sealed(manifest, FileEntry(_size(manifest), bundle.digest), remedy)]
    files = {folder / file.path.relative_to(bundle.path): file for file in sealed}
    for place in sorted({folder, *(path.parent for path in files)}):
        make_folder(place)
    entries = {path: file.entry for path, file in files.items()}
    linked = earlier.link(entries, _MODE, progress)
    copy_checked([Copy(file, path, _MODE) for path, file in files.items() if path not in linked], progress)
    return entries, linked


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise BundleError(f"{path} can't be read: {error.strerror}", "Copy or build the bundle again.") from error


def _is_there(layout: Layout, identity: str, progress: Progress) -> bool:
    """Whether the release is there whole; a damaged one is removed."""
    folder = layout.release(identity)
    if not folder.exists():
        return False
    try:
        verify_release(folder, identity, progress)
    except (BundleError, ConfigError) as error:
        if layout.running() == identity:
            raise EdgeKitError(
                f"Release {identity[:SHORT]} is the current one, and damaged: {error.message}",
                "Go back with `edgekit rollback`, then install again; and have a look at the disk.",
            ) from error
        _remove(layout, identity)
        return False
    return True


def _remove(layout: Layout, identity: str) -> None:
    """Under its name, a release is whole, however far its removal came."""
    with writing(layout.release(identity)):
        layout.release(identity).rename(layout.partial(identity))
        flush_folder(layout.releases)
    _clear(layout)


def _clear(layout: Layout) -> None:
    """Remove what runs have left that were killed."""
    for name in filter(_PARTIAL.fullmatch, os.listdir(layout.releases)):
        with writing(layout.releases / name):
            shutil.rmtree(layout.releases / name)


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Keep every other process from writing releases; what dies lets go."""
    with writing(layout.releases):
        descriptor = os.open(layout.releases, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "Wait until it has ended: `edgekit status` tells."
            raise EdgeKitError(f"Another process is writing a release into {layout.releases}", hint) from None
        except OSError:
            pass  # this file system has no locks
        yield
    finally:
        os.close(descriptor)
