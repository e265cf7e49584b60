"""Where a backup lies: a folder, or one tar file where its name ends in ``.tar``. Both hold the same names.

What is written is hashed on its way, what is read compared. A tar is never unpacked as a whole: nothing but what the
manifest names is looked at, and it goes where the reader says.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from edgekit.bundle.hashes import FileEntry
from edgekit.config.state import make_private
from edgekit.errors import EdgeKitError
from edgekit.files import new_directory, new_file, open_private, writing
from edgekit.ward.backup.manifest import NAME, damaged

_PIECE = 1 << 20
_MOST_MANIFEST = 1 << 30


class Writer(ABC):
    """Takes a backup's files, one after another; ``files`` says what it has."""

    def __init__(self, place: Path) -> None:
        self.files: dict[str, FileEntry] = {}
        self.place = place

    def put(self, name: str, content: bytes) -> None:
        """Take a file by its content."""
        self._put(name, io.BytesIO(content), len(content))

    def put_file(self, name: str, path: Path, size: int) -> None:
        """Take the first ``size`` bytes of a file."""
        with path.open("rb") as stream:
            self._put(name, stream, size)

    def _put(self, name: str, stream: IO[bytes], size: int) -> None:
        hashing = _Hashing(stream, size)
        with writing(self.place):
            self._write(name, hashing, size)
        self.files[name] = hashing.entry

    @abstractmethod
    def _write(self, name: str, stream: _Hashing, size: int) -> None: ...


class Reader(ABC):
    """Gives a backup's files; ``origin`` is what people call it."""

    def __init__(self, place: Path) -> None:
        self.origin = str(place)

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Return a stream of a file; :class:`~edgekit.errors.EdgeKitError` where there is none."""

    def manifest(self) -> bytes:
        """Return the file of the manifest."""
        with self.open(NAME) as stream:
            return stream.read(_MOST_MANIFEST)

    def copy_out(self, name: str, entry: FileEntry, path: Path) -> None:
        """Write a file to ``path``; :class:`~edgekit.errors.EdgeKitError` where it isn't as its ``entry`` says."""
        with self.open(name) as stream, writing(path), open(path, "xb", opener=open_private) as file:
            hashing = _Hashing(stream, entry.bytes + 1)
            shutil.copyfileobj(hashing, file, _PIECE)
        if hashing.entry != entry:
            raise damaged(self.origin, name)


@contextmanager
def new_archive(place: Path) -> Iterator[Writer]:
    """Yield what takes a backup's files; it is at its ``place`` at the end, whole, or not at all.

    :class:`~edgekit.errors.EdgeKitError` where something is there already.
    """
    if os.path.lexists(place):
        raise EdgeKitError(f"{place} exists already", "Choose another place, or remove it first.")
    if place.suffix == ".tar":
        with new_file(place, mode=0o600) as file, writing(place), tarfile.open(file, "x") as tar:
            yield _TarWriter(tar, place)
        return
    with new_directory(place) as folder:
        folder.chmod(0o700)
        yield _FolderWriter(folder, place)


@contextmanager
def open_archive(place: Path) -> Iterator[Reader]:
    """Yield what gives a backup's files; :class:`~edgekit.errors.EdgeKitError` where it is none."""
    try:
        if place.is_dir():
            yield _FolderReader(place)
            return
        with tarfile.open(place, "r:") as tar:
            yield _TarReader(tar, place)
    except FileNotFoundError:
        raise EdgeKitError(f"There is no backup at {place}", "Check the path.") from None
    except tarfile.TarError:
        raise EdgeKitError(
            f"{place} is no backup, or it is cut off", "Give a folder or a .tar that `edgekit backup` made."
        ) from None
    except OSError as error:
        hint = "Check the path and its permissions."
        raise EdgeKitError(f"{place} can't be read: {error.strerror or error}", hint) from None


class _Hashing:
    """The first bytes of a stream, with their hash once they were read."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self._size += len(piece)
        self._digest.update(piece)
        return piece

    @property
    def entry(self) -> FileEntry:
        return FileEntry(self._size, self._digest.hexdigest())


class _FolderWriter(Writer):
    def __init__(self, folder: Path, place: Path) -> None:
        super().__init__(place)
        self._folder = folder

    def _write(self, name: str, stream: _Hashing, size: int) -> None:
        path = self._folder / name
        make_private(path.parent)
        with open(path, "xb", opener=open_private) as file:
            shutil.copyfileobj(stream, file, _PIECE)


class _TarWriter(Writer):
    def __init__(self, tar: tarfile.TarFile, place: Path) -> None:
        super().__init__(place)
        self._tar = tar

    def _write(self, name: str, stream: _Hashing, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        readable: Any = stream  # all that it does is read
        self._tar.addfile(member, readable)


class _FolderReader(Reader):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def open(self, name: str) -> IO[bytes]:
        try:
            return open(self._folder / name, "rb")
        except FileNotFoundError:
            raise damaged(self.origin, name) from None


class _TarReader(Reader):
    def __init__(self, tar: tarfile.TarFile, place: Path) -> None:
        super().__init__(place)
        self._tar = tar
        self._members = {member.name: member for member in tar if member.isreg()}

    def open(self, name: str) -> IO[bytes]:
        stream = self._tar.extractfile(self._members[name]) if name in self._members else None
        if stream is None:
            raise damaged(self.origin, name)
        return stream
