"""The wheels that a build context carries: from a folder, or made of what is installed here.

A folder is one of `make wheels`; the wheels may be for another processor and another Python than this one's. Without a
folder, each distribution that a service needs becomes a wheel again: its files by the hashes that they were installed
with, and nothing of this environment.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from edgekit.bundle.hashes import FileEntry, Reader
from edgekit.deploy.site.listed import listed, record_text
from edgekit.deploy.site.needed import OWN, helpful_extras, needed
from edgekit.deploy.site.wheels import REQUIREMENTS, requirements
from edgekit.errors import EdgeKitError
from edgekit.files import writing

PIP = canonicalize_name("pip")
_MAKE = "Make the folder again: make wheels PLATFORM=…"
_DAY = (2020, 1, 1, 0, 0, 0)
"""Every file's time in a wheel that is made here: equal files make equal wheels."""


@dataclass(frozen=True)
class Carried:
    """A wheel: where it lies, its package's normalized name and version, what it is for, its size and SHA-256 (hex)."""

    path: Path
    name: str
    version: str
    tags: frozenset[Tag]
    entry: FileEntry

    @property
    def line(self) -> str:
        """Its line in requirements.txt."""
        return f"{self.name}=={self.version} --hash=sha256:{self.entry.sha256}\n"


def python_of(wheels: Sequence[Carried]) -> str:
    """Return the one version of Python that the compiled ones are for, as "3.11"; "" where any will do."""
    compiled = {tag.abi for one in wheels for tag in one.tags if tag.abi == tag.interpreter}
    minor = next(iter(compiled)).removeprefix("cp3") if len(compiled) == 1 else ""
    return f"3.{minor}" if minor.isdecimal() else ""


def wheels_in(folder: Path) -> tuple[Carried, ...]:
    """Return the wheels that a folder's requirements.txt names, each compared with its hashes.

    :class:`EdgeKitError` where one is missing or not what the list has the hash of, and where there is no EdgeKit or no
    pip among them: many a base has none that could unpack them.
    """
    there = list(_named(folder))
    wheels: list[Carried] = []
    for requirement, hashes in requirements(folder):
        name = canonicalize_name(requirement.name)
        fitting = [
            one for one in there if one.name == name and requirement.specifier.contains(one.version, prereleases=True)
        ]
        if not fitting:
            raise EdgeKitError(f"There is no wheel of {name}{requirement.specifier} in {folder}", _MAKE)
        for one in fitting:
            if one.entry.sha256 not in hashes:
                message = f"{one.path} is not the file that {REQUIREMENTS} has the hash of"
                raise EdgeKitError(message, "It was damaged or changed: copy the folder of wheels again.")
        wheels += fitting
    for needed_name in (OWN, PIP):
        if needed_name not in {one.name for one in wheels}:
            raise EdgeKitError(f"{folder / REQUIREMENTS} does not name {needed_name}", _MAKE)
    return tuple(wheels)


def wheels_here(engine: str, folder: Path, path: Sequence[str] | None = None) -> tuple[Carried, ...]:
    """Write the wheels of what a service on ``engine`` needs into ``folder``, and pip's; return them.

    ``path``: the folders of packages, ``sys.path`` without. :class:`EdgeKitError` where one is missing, was changed
    since it was installed, or can't be written.
    """
    taken = {canonicalize_name(one.metadata["Name"]): one for one in needed(helpful_extras(engine), path)}
    if PIP not in taken:
        pip = next(iter(distributions(name=PIP) if path is None else distributions(name=PIP, path=list(path))), None)
        if pip is None:
            raise EdgeKitError("There is no pip here, which would unpack the wheels", "Run: python3 -m ensurepip")
        taken[PIP] = pip
    return tuple(_carried(_written(distribution, folder)) for _, distribution in sorted(taken.items()))


def _named(folder: Path) -> Iterator[Carried]:
    for path in sorted(folder.glob("*.whl")):
        with suppress(InvalidWheelFilename, InvalidVersion):
            yield _carried(path)


def _carried(path: Path) -> Carried:
    name, version, _, tags = parse_wheel_filename(path.name)
    size = path.stat().st_size
    return Carried(path, name, str(version), tags, FileEntry(size, Reader().digest(path, size)))


def _written(distribution: Distribution, folder: Path) -> Path:
    """Make a distribution a wheel again (PyPA: the binary distribution format)."""
    name = distribution.metadata["Name"]
    files = listed(distribution)
    described = next((file for file in files if PurePosixPath(file.name).match("*.dist-info/WHEEL")), None)
    if described is None:
        raise EdgeKitError(f"{name} was not installed from a wheel", "Install it again by pip, or give --wheels.")
    own = PurePosixPath(described.name).parent
    path = folder / f"{own.stem}-{_tags(described.path)}.whl"
    with writing(path), zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for file in sorted(files, key=lambda file: file.name):
            with archive.open(_entry(file.name), "w") as out:
                digest = Reader().digest(file.path, file.entry.bytes, out.write)
            if digest != file.entry.sha256:
                hint = f"Install it again: pip install --force-reinstall --no-deps {name}"
                raise EdgeKitError(f"{file.path} is not what was installed", hint)
        archive.writestr(_entry(f"{own}/RECORD"), record_text(files, f"{own}/RECORD"))
    return path


def _tags(described: Path) -> str:
    """What a wheel is for, as its file's name has it: each part once, in the order of its description."""
    tags = [tag.split("-") for tag in Parser().parsestr(described.read_text(encoding="utf-8")).get_all("Tag", [])]
    return "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True)) or "py3-none-any"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DAY)
    entry.external_attr = 0o100644 << 16
    return entry
