"""What a release is made of, each part by its digest, and the release's ID: the digest of that record.

The record has no times and no places in it, so the same bundle with the same packages is the same release on every
machine, and whoever trusts an ID trusts all that the record names. Beside it lies a list of the files that staging has
written, by which a release can be read again later, and equal files of the next one be found.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from edgekit import __version__, config
from edgekit.bundle.hashes import FileEntry, Sealed
from edgekit.config import load_json, require_format
from edgekit.config.writing import write_json
from edgekit.deploy.layout import RECORD
from edgekit.errors import ConfigError
from edgekit.files import write_text
from edgekit.machine.system import architecture

FORMAT = 1
FILES = "files.json"
SHORT = 12
"""Digits of an ID that are shown to people."""

_DAMAGED = "Damaged or changed: remove its folder, then install again."


@dataclass(frozen=True, order=True)
class Package:
    """A distribution that a release holds: its normalized name, its version, and the SHA-256 (hex) of its wheel, or of
    the list of its files and their hashes where it was copied."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Contents:
    """The files of a release, by their relative names."""

    files: dict[str, FileEntry]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a release is made of.

    - ``bundle``: the SHA-256 of its bundle's manifest
    - ``packages``: the code, by its names
    - ``unit``: the SHA-256 of the unit's template
    - ``python``, ``platform``: the interpreter's minor version ("3.11") and the processor ("x86_64") that it is for
    - ``edgekit``: the version that runs it
    """

    format: int = FORMAT
    bundle: str
    packages: tuple[Package, ...]
    unit: str
    python: str
    platform: str
    edgekit: str

    def text(self) -> str:
        """Return the record as release.json holds it: keys and packages in their order, one spelling for one record."""
        document = config.dump(self) | {"packages": [config.dump(package) for package in sorted(self.packages)]}
        return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n"

    @property
    def identity(self) -> str:
        """The release's ID: the SHA-256 (hex) of release.json."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def record_of(bundle: str, packages: tuple[Package, ...], unit: str) -> Record:
    """Return the record of a bundle (by its digest) with packages, for this interpreter on this processor."""
    version = next((package.version for package in packages if package.name == "edgekit"), __version__)
    return Record(
        bundle=bundle,
        packages=tuple(sorted(packages)),
        unit=unit,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        platform=architecture(),
        edgekit=version,
    )


def package(name: str, version: str, sha256: str) -> Package:
    """Return a package under its normalized name, as the specification of names has it."""
    return Package(canonicalize_name(name), version, sha256)


def write_record(folder: Path, record: Record, files: dict[str, FileEntry]) -> None:
    """Write both into a release's folder: the record, and the list of its files by their relative names."""
    write_json(folder / FILES, Contents(files))
    write_text(folder / RECORD, record.text())


def read_record(folder: Path, identity: str) -> Record:
    """Read the record of the release ``identity`` in its folder; :class:`ConfigError` where it can't be read, or is
    another one's."""
    path = folder / RECORD
    try:
        text = path.read_bytes()
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise ConfigError(f"{path} can't be read: {reason}", _DAMAGED) from error
    if hashlib.sha256(text).hexdigest() != identity:
        raise ConfigError(f"{path} is not the record that the release is named after", _DAMAGED)
    require_format(document, FORMAT, str(path), "Use the EdgeKit that installed it.")
    return config.load(Record, document, str(path))


def read_files(folder: Path) -> dict[str, FileEntry]:
    """Read the list of a release's files, by their relative names; :class:`ConfigError` where it is damaged."""
    return load_json(folder / FILES, Contents).files


def sealed_in(folder: Path, files: dict[str, FileEntry], remedy: str) -> list[Sealed]:
    """Return files of a release as they were sealed, with what to do where one is not so any more."""
    return [Sealed(folder / name, entry, remedy) for name, entry in files.items()]
