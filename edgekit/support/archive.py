"""The archive of what helps from afar: texts in a tar.gz that the same texts make again, byte by byte.

A list of what is in it stands first. It is written whole or not at all, and is its owner's alone.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edgekit import __version__
from edgekit.errors import EdgeKitError
from edgekit.files import write_bytes
from edgekit.support.topic import Part

CONTENTS = "contents.txt"
SUFFIX = ".tar.gz"


@dataclass(frozen=True)
class Archive:
    """An archive holds ``parts``, as they were at ``gathered_s`` (whole seconds since 1970)."""

    parts: tuple[Part, ...]
    gathered_s: int

    @classmethod
    def of(cls, parts: Sequence[Part], gathered_s: int) -> Archive:
        """Put the list of what is in it before ``parts``."""
        width = max(len(part.name) for part in parts)
        rows = (f"{part.name:<{width}}  {len(part.content):>9}  {part.what}" for part in parts)
        head = f"EdgeKit {__version__}, {_time(gathered_s):%Y-%m-%d %H:%M:%S} UTC. Nothing in it is of a patient.\n"
        text = "\n".join([head, f"{'file':<{width}}  {'bytes':>9}", *rows]) + "\n"
        return cls((Part(CONTENTS, "this list", text), *parts), gathered_s)

    @property
    def name(self) -> str:
        """The folder that it unpacks to."""
        return f"edgekit-support-{_time(self.gathered_s):%Y%m%dT%H%M%SZ}"

    @property
    def file_name(self) -> str:
        """What it is called where nobody names it."""
        return f"{self.name}{SUFFIX}"

    @property
    def files(self) -> list[dict[str, Any]]:
        """What is in it, as JSON has it: each file's name, its bytes, and what it holds."""
        return [{"name": part.name, "bytes": len(part.content), "what": part.what} for part in self.parts]

    def content(self) -> bytes:
        """Return it as a tar.gz: POSIX's ustar, no owner, the time of gathering for every file."""
        packed = io.BytesIO()
        with (
            gzip.GzipFile("", "wb", fileobj=packed, mtime=self.gathered_s) as stream,
            tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for part in self.parts:
                entry = tarfile.TarInfo(f"{self.name}/{part.name}")
                entry.size, entry.mtime, entry.mode = len(part.content), self.gathered_s, 0o644
                tar.addfile(entry, io.BytesIO(part.content))
        return packed.getvalue()

    def write(self, path: Path) -> WrittenArchive:
        """Write it to ``path``, readable for its owner alone; :class:`~edgekit.errors.EdgeKitError` where there is
        something already, or the disk refuses."""
        require_new(path)
        content = self.content()
        write_bytes(path, content, mode=0o600)
        return WrittenArchive(self, path, len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class WrittenArchive:
    """An archive that lies in the file ``path``, so large, with that hash."""

    archive: Archive
    path: Path
    bytes: int
    sha256: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"file": str(self.path), "bytes": self.bytes, "sha256": self.sha256, "files": self.archive.files}


def require_new(path: Path) -> None:
    """Refuse to write over anything."""
    if path.exists():
        raise EdgeKitError(f"{path} exists already", "Choose another name with --out, or remove it first.")


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
