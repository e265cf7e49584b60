"""Where the pictures of rows come from: files below a row's folder, or whatever else gives one for a name.

Pictures are named by whoever asks, so that errors and answers say nothing of this machine's folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from edgekit.batch.rows import Row
from edgekit.errors import EdgeKitError, InputError
from edgekit.inputs.images import Picture, load_image


class Pictures(Protocol):
    """What gives a row's pictures."""

    def digests(self, row: Row) -> list[str]:
        """Return the SHA-256 of each picture in hex, as it is now; :class:`InputError` for one that can't be read."""

    def picture(self, row: Row, number: int) -> Picture:
        """Return one of a row's pictures, from 0 on, decoded; :class:`EdgeKitError` for what is none."""


class Files:
    """Pictures that are files below the row's folder; a :class:`Pictures`."""

    def digests(self, row: Row) -> list[str]:
        """Return the digests of the row's files."""
        return [digest(file) for file in read_files(row)]

    def picture(self, row: Row, number: int) -> Picture:
        """Read one of the row's files."""
        path = row.files[number]
        try:
            return load_image(path)
        except EdgeKitError as error:  # answers go where this machine's folders say nothing
            raise InputError(error.message.replace(str(path), row.images[number]), error.hint) from error


class Unchanged:
    """Says whether pictures are still what they were; reads those of each name once."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._digests: dict[tuple[str, ...], list[str] | None] = {}

    def __call__(self, row: Row, sha256: Sequence[str]) -> bool:
        """Whether the row's pictures have these digests; also where one has been taken away, which changes nothing."""
        if row.images not in self._digests:
            self._digests[row.images] = self._now(row)
        return self._digests[row.images] in (None, list(sha256))

    def _now(self, row: Row) -> list[str] | None:
        try:
            return self._pictures.digests(row)
        except EdgeKitError:
            return None


def read_files(row: Row) -> list[bytes]:
    """Return a row's pictures as their files are; :class:`InputError` for one that can't be read."""
    return [_read(row, name) for name in row.images]


def digest(file: bytes) -> str:
    """Return a file's SHA-256 in hex."""
    return sha256(file).hexdigest()


def _read(row: Row, name: str) -> bytes:
    path = row.folder / name
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{name} is not a file", "Give one picture file.")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {name}", "Put it there, and ask again.") from None
    except OSError as error:
        raise InputError(f"{name} can't be read: {error.strerror}", "Check its permissions.") from None
