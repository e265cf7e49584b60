"""The files of an installed distribution with their hashes, by its RECORD.

Format: PyPA's specification of recorded installed projects; a row is name, "sha256=" and the digest in urlsafe base64
without padding, size. What belongs to the environment rather than to the code is left out: bytecode, scripts (whose
first lines name the environment's interpreter), and notes on who installed it and from where.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import json
import os
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath

from edgekit.bundle.hashes import FileEntry
from edgekit.errors import EdgeKitError

_NOTES = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}


@dataclass(frozen=True)
class Listed:
    """A file of a distribution: its name in the folder of all packages, where it lies, and what it was installed as."""

    name: str
    path: Path
    entry: FileEntry


def listed(distribution: Distribution) -> list[Listed]:
    """List the files of a distribution that are its code and what describes it.

    :class:`EdgeKitError` where nobody has written down what it holds: it was installed as a link to its source, or by
    the system's own packages; or where a file has no hash.
    """
    name = distribution.metadata["Name"]
    if _is_editable(distribution):
        raise EdgeKitError(
            f"{name} is installed as a link to its source, which nobody has the hashes of",
            "Install it without -e (pip install '.[serve]' in its folder), or give --wheels.",
        )
    text = distribution.read_text("RECORD")
    if text is None:
        raise EdgeKitError(
            f"{name} was not installed by pip: there is no list of its files",
            "Install EdgeKit into an environment of its own (python3 -m venv), or give --wheels.",
        )
    rows = [row for row in csv.reader(text.splitlines()) if row and _belongs(row[0])]
    return [_listed(distribution, row) for row in rows]


def digest(files: list[Listed]) -> str:
    """Return the SHA-256 (hex) of what files are called and hold, the same wherever they are installed."""
    lines = sorted(f"{file.name},{file.entry.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def record_text(files: list[Listed], own: str) -> str:
    """Return a RECORD of ``files``; ``own`` is its own name, which stands in it without a hash."""
    rows = (f"{_quoted(file.name)},sha256={_base64(file.entry.sha256)},{file.entry.bytes}\n" for file in files)
    return "".join([*rows, f"{own},,\n"])


def _belongs(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "__pycache__" in path.parts or path.suffix == ".pyc":
        return False
    return not (path.name in _NOTES and path.parent.suffix == ".dist-info")


def _listed(distribution: Distribution, row: list[str]) -> Listed:
    name, hashed, size = (*row, "", "")[:3]
    path = Path(str(distribution.locate_file(name)))
    method, _, value = hashed.partition("=")
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) if method == "sha256" else b""
        if len(raw) != hashlib.sha256().digest_size:
            raise ValueError(hashed)
        count = int(size) if size else os.stat(path).st_size
    except (ValueError, binascii.Error) as error:
        raise EdgeKitError(
            f"{distribution.metadata['Name']}: its list of files has no SHA-256 of {name}",
            "Install that package again with pip, or give --wheels.",
        ) from error
    except OSError as error:
        raise EdgeKitError(f"{path} can't be read: {error.strerror}", "Install its package again.") from error
    return Listed(name, path, FileEntry(count, raw.hex()))


def _is_editable(distribution: Distribution) -> bool:
    """Direct URL data structure (PyPA): what was installed from a folder may be a link to it."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(isinstance(origin, dict) and isinstance(said := origin.get("dir_info"), dict) and said.get("editable"))


def _base64(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name
