"""Files that an earlier release holds already: linked into the next one, not written again.

They are found by their hashes, which each release's list of files has, and read from the disk before they are relied
on: a release must not inherit what a disk has lost. A link is another name of the same file, which no release changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from edgekit.bundle.hashes import FileEntry, Reader
from edgekit.deploy.durable import forget
from edgekit.deploy.layout import Layout
from edgekit.deploy.record import read_files
from edgekit.errors import BundleError, ConfigError
from edgekit.files import writing
from edgekit.progress import Progress, silent

_MODE = 0o777


class Earlier:
    """The files of the releases that are there, by their hashes. One whose list is damaged shares nothing."""

    def __init__(self, layout: Layout) -> None:
        self._paths: dict[str, Path] = {}
        self._releases: list[dict[str, FileEntry]] = []
        for identity in layout.identities():
            folder = layout.release(identity)
            with suppress(ConfigError):
                files = read_files(folder)
                self._releases.append(files)
                self._paths |= {entry.sha256: folder / name for name, entry in files.items()}

    def holds(self, entry: FileEntry) -> bool:
        """Say whether a file of this content may be there; empty ones are not worth a link."""
        return entry.bytes > 0 and entry.sha256 in self._paths

    def beside(self, name: str, content: FileEntry, other: str) -> FileEntry | None:
        """Return what a release has as its file ``other`` that has just this ``content`` as its file ``name``; None
        where there is none."""
        return next((files[other] for files in self._releases if files.get(name) == content and other in files), None)

    def link(self, wanted: Mapping[Path, FileEntry], mode: int | None = None, progress: Progress = silent) -> set[Path]:
        """Make a link of each path whose content an earlier release holds whole; return which are links now.

        What lies at such a path makes way. Its permissions are to be those of the earlier file, ``mode`` where nothing
        lies there yet; else it stays. Progress counts the bytes read. :class:`~edgekit.errors.EdgeKitError` where the
        disk refuses.
        """
        there = {path: entry for path, entry in wanted.items() if self.holds(entry)}
        contents = {entry.sha256: entry for entry in there.values()}
        reader = Reader()
        jobs = [partial(self._whole, reader, entry) for entry in contents.values()]
        total = sum(entry.bytes for entry in contents.values())
        whole = dict(zip(contents, reader.together(jobs, total, "compare", progress), strict=True)) if jobs else {}
        return {
            path
            for path, entry in there.items()
            if whole[entry.sha256] and _linked(self._paths[entry.sha256], path, mode)
        }

    def _whole(self, reader: Reader, entry: FileEntry) -> bool:
        path = self._paths[entry.sha256]
        forget(path)
        try:
            return reader.digest(path, entry.bytes) == entry.sha256
        except BundleError:
            return False


def _linked(earlier: Path, path: Path, mode: int | None) -> bool:
    """Whether it could be done; a file system has its limit of names for a file, and some have no links at all."""
    try:
        wanted = path.stat().st_mode & _MODE if mode is None else mode
        if earlier.stat().st_mode & _MODE != wanted:
            return False
        if os.path.lexists(path) and os.path.samefile(earlier, path):
            return True  # renaming a link over another of the same file would leave both
        beside = path.with_name(f".{path.name}.link")
        os.link(earlier, beside)
    except OSError:
        return False
    with writing(path):
        os.replace(beside, path)
    return True
