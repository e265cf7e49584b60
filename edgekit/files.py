"""Writing so that nothing is ever half there: beside its place first, on the disk, then renamed in.

What the system refuses (no space, no permission) becomes an :class:`EdgeKitError` that says what to do.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.units import format_bytes

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write ``path`` into an :class:`EdgeKitError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise EdgeKitError(f"No space is left to write {path}", _make_room(path)) from error
        raise EdgeKitError(
            f"{path} can't be written: {error.strerror or error}", "Choose another place with --out."
        ) from error


def require_space(path: Path, size: int) -> None:
    """Refuse early when the disk that is to hold ``path`` has less than ``size`` bytes free."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise EdgeKitError(
            f"{path} needs {format_bytes(size)}, but its disk has {format_bytes(free)} free", _make_room(path)
        )


def _make_room(path: Path) -> str:
    return f"Make room on the disk of {path.parent}, or choose another place with --out."


@contextmanager
def new_directory(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A directory to fill, beside ``path``; it becomes ``path`` at the end, or is removed on any error.

    Raises :class:`EdgeKitError` when ``path`` exists already; with ``replace``, the old one makes way
    (it stays whole until the new one is complete and on the disk).
    """
    if path.exists() and not replace:
        raise EdgeKitError(f"{path} exists already", "Choose another place with --out, or remove it first.")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        beside.chmod(0o755)  # mkdtemp's 0700 would hide the result from a service's own user
        yield beside
        with writing(path):
            _flush_tree(beside)
            _rename_in(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 file beside its place, flush it, rename it in."""
    with writing(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _flush(path.parent)


def _rename_in(beside: Path, path: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
    try:
        if path.exists():
            path.rename(old)  # over the empty directory
        beside.rename(path)
    except OSError:
        if any(old.iterdir()) and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
    _flush(path.parent)


def _flush_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            _flush(Path(folder, name))
        _flush(Path(folder))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
