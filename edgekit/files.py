"""Writing so that nothing is ever half there: beside its place first, on the disk, then renamed in.

What the system refuses (no space, no permission) becomes an :class:`EdgeKitError` that says what to do. What a
process leaves behind that was killed while filling a directory, the next one to write there removes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgekit.errors import DiskFull, EdgeKitError
from edgekit.units import format_bytes

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write ``path`` into an :class:`EdgeKitError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"No space is left to write {path}", _make_room(path)) from error
        raise EdgeKitError(
            f"{path} can't be written: {error.strerror or error}",
            f"Check {path.parent} and its permissions, or write to another place.",
        ) from error


def require_space(path: Path, size: int) -> None:
    """Refuse early when the disk that is to hold ``path`` has less than ``size`` bytes free."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise DiskFull(
            f"{path} needs {format_bytes(size)}, but its disk has {format_bytes(free)} free", _make_room(path)
        )


def _make_room(path: Path) -> str:
    return f"Make room on the disk of {path.parent}, or write to another one."


@contextmanager
def new_directory(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a directory to fill, beside ``path``; it becomes ``path`` at the end, or is removed on any error.

    Raises :class:`EdgeKitError` when ``path`` exists already; with ``replace``, the old one makes way
    (it stays whole until the new one is complete and on the disk).
    """
    path = Path(os.path.realpath(path))  # a link stays one: what it points to is replaced
    if path.exists() and not replace:
        raise EdgeKitError(f"{path} exists already", "Choose another place, or remove it first.")
    with _locked_directory(path) as beside:
        beside.chmod(0o755)  # 0700 would hide the result from a service's own user
        yield beside
        with writing(path):
            _flush_tree(beside)
            _rename_in(beside, path)


@contextmanager
def new_file(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a file to write, alone in a directory beside ``path``; it becomes ``path`` at the end,
    in place of an older one.

    The directory may hold other files, too; it is removed with them, as :func:`new_directory`'s is on any error.
    """
    path = Path(os.path.realpath(path))
    with _locked_directory(path) as beside:
        file = beside / path.name
        yield file
        with writing(path):
            _flush(file)
            os.chmod(file, mode)
            os.replace(file, path)
            _flush(path.parent)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield a directory beside ``path`` for what leads to it; removed at the end, or by the next one of its name."""
    with _locked_directory(path) as beside:
        yield beside


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 file as :func:`write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a small file beside its place, flush it, rename it in; whom ``mode`` shuts out can read it at no time.

    A file that is its owner's alone belongs to the owner of its folder, also where root writes it: a service that runs
    as a user of its own would lose it otherwise.
    """
    with writing(path):
        beside = next(_names(path))
        try:
            with open(beside, "xb", opener=open_private) as file:
                if not mode & 0o077:
                    give_to_owner_of_folder(file.fileno(), path.parent)
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)  # by its name, it might be another's link by then
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _flush(path.parent)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file that, where it is made, is its owner's alone: an ``opener`` as :func:`open` takes one."""
    return os.open(path, flags, 0o600)


def give_to_owner_of_folder(descriptor: int, folder: Path) -> None:
    """Give an open file to whom ``folder`` belongs, where root made it; one of several names may be another's."""
    owner, file = folder.stat(), os.fstat(descriptor)
    if os.geteuid() == 0 != owner.st_uid and (stat.S_ISDIR(file.st_mode) or file.st_nlink == 1):
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _names(path: Path, suffix: str = "") -> Iterator[Path]:
    """Names hidden beside ``path`` that nothing has yet. They are known before what gets one is made: an interruption
    may come as soon as it is there."""
    while True:
        name = path.parent / f".{path.name}.{secrets.token_hex(4)}{suffix}"
        if not os.path.lexists(name):
            yield name


def _rename_in(beside: Path, path: Path) -> None:
    old = beside.with_suffix(".old")
    lock = _lock(path) if path.exists() else None
    try:
        if path.exists():
            path.rename(old)
        beside.rename(path)
    except BaseException:  # an interruption, too, must not find the old one moved away
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        if lock is not None:
            os.close(lock)
    _flush(path.parent)


@contextmanager
def _locked_directory(path: Path) -> Iterator[Path]:
    """A new directory beside ``path``, whose lock says that somebody is filling it; removed at the end."""
    names, beside, lock = _names(path, ".part"), None, None
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _clear_away(path)
            while lock is None:
                beside = next(names)
                beside.mkdir(0o700)
                lock = _locked(beside)
        assert beside
        yield beside
    finally:
        if beside:
            shutil.rmtree(beside, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _locked(directory: Path) -> int | None:
    """A descriptor that holds the lock; None where another process has cleared the directory away before."""
    with suppress(FileNotFoundError):
        lock = _lock(directory, wait=True)
        if lock is not None and _is(lock, directory):
            return lock
        if lock is not None:
            os.close(lock)
    return None


def _is(descriptor: int, path: Path) -> bool:
    """Whether a name still leads to what was opened by it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _lock(directory: Path, *, wait: bool = False) -> int | None:
    """A descriptor of ``directory`` that holds its lock; None where another process has it.

    The lock goes with the directory when that is renamed, and ends with the process however it ends.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if wait:
            return descriptor  # this file system has no locks, so nobody clears away either
        os.close(descriptor)
        return None
    return descriptor


def _clear_away(path: Path) -> None:
    """Remove what killed processes left of earlier tries to write ``path``.

    If one was killed between its two renames, the old directory is put back: it may be all there is.
    """
    leftover = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.(part|old)")
    with suppress(OSError):
        for name in filter(leftover.fullmatch, os.listdir(path.parent)):
            with suppress(OSError):
                _clear_one(path.parent / name, path)


def _clear_one(leftover: Path, path: Path) -> None:
    lock = _lock(leftover)
    if lock is None:
        return
    try:
        if not _is(lock, leftover):
            return  # removed in between; its name may be another's by now
        if leftover.suffix == ".old" and not path.exists():
            leftover.rename(path)
        else:
            shutil.rmtree(leftover, ignore_errors=True)
    finally:
        os.close(lock)


def _flush_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            if not os.path.islink(os.path.join(folder, name)):  # a link is its folder's, wherever it leads
                _flush(Path(folder, name))
        _flush(Path(folder))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
