"""Copies of files whose hashes are known: each is read once, hashed while it is written, and refused where it differs.

Several files are copied at once, as they are hashed elsewhere. Nothing here is durable yet: that is
:mod:`edgekit.deploy.durable`'s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgekit.bundle.hashes import Reader, Sealed
from edgekit.errors import BundleError
from edgekit.files import writing
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Copy:
    """A file and where it is to lie; its folder is made where it is missing. ``mode``: the copy's permissions."""

    file: Sealed
    target: Path
    mode: int = 0o644


def copy_checked(copies: Sequence[Copy], progress: Progress = silent) -> None:
    """Copy files, the largest first. Progress counts the bytes read.

    :class:`BundleError` names the first that differs from its hash, or can't be read;
    :class:`~edgekit.errors.EdgeKitError` one that can't be written. What was copied until then is there.
    """
    for folder in sorted({copy.target.parent for copy in copies}):
        make_folder(folder)
    reader = Reader()
    largest_first = sorted(copies, key=lambda copy: -copy.file.entry.bytes)
    total = sum(copy.file.entry.bytes for copy in copies)
    reader.together([partial(_copy, reader, copy) for copy in largest_first], total, "copy", progress)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, which everybody may look into whatever this process's umask says."""
    missing = [folder, *folder.parents]
    with writing(folder):
        for path in reversed(missing[: next(n for n, path in enumerate(missing) if path.is_dir())]):
            path.mkdir()
            path.chmod(0o755)


def _copy(reader: Reader, copy: Copy) -> None:
    file, target = copy.file, copy.target
    with writing(target):
        out = open(target, "xb", buffering=0)  # noqa: SIM115
    with out:

        def write(piece: memoryview) -> None:
            with writing(target):
                while piece:  # the disk may take a part of it
                    piece = piece[out.write(piece) or 0 :]

        digest = reader.digest(file.path, file.entry.bytes, write)
        with writing(target):
            os.fchmod(out.fileno(), copy.mode)
    if digest != file.entry.sha256:
        raise BundleError(
            f"{file.path}: the contents differ from what was sealed",
            f"The file was damaged or changed: {file.remedy}.",
        )
