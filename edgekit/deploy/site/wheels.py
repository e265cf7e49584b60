"""The code of a release, from a folder of wheels with a list of their hashes: for a device without a network.

The folder holds ``requirements.txt``, as pip has it with hashes, and a wheel for each line. `make wheels` writes it at
home. Each wheel is compared with its hash here, so that the message is for people; then pip unpacks them, cut off from
the device's own settings of pip and from every index. A pip among the wheels is the one that unpacks, and no part of
the code: many a device has none.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from edgekit.bundle.hashes import Reader
from edgekit.deploy.record import Package, package
from edgekit.deploy.room import Room, room_of
from edgekit.deploy.site.compiled import compile_modules, run_clean
from edgekit.deploy.site.needed import OWN
from edgekit.errors import DiskFull, EdgeKitError, gist
from edgekit.files import writing

REQUIREMENTS = "requirements.txt"
_HASH = re.compile(r"\s--hash=sha256:([0-9a-f]{64})(?=\s|$)")
_PIP = "pip"
_MAKE = "Make the folder again: make wheels PLATFORM=…"


@dataclass(frozen=True)
class Wheels:
    """The wheels in ``folder`` that its requirements.txt names for this interpreter."""

    folder: Path

    def packages(self) -> tuple[Package, ...]:
        """Return each with its wheel's hash; see :class:`~edgekit.deploy.site.code.Code`."""
        return tuple(one for one, _ in self._code)

    def room(self) -> Room:
        """Return what the wheels' files take, and the bytecode of the modules among them."""
        sizes: list[int] = []
        for _, wheel in self._code:
            try:
                with zipfile.ZipFile(wheel) as archive:
                    entries = archive.infolist()
            except (OSError, zipfile.BadZipFile) as error:
                raise EdgeKitError(f"{wheel} can't be read: {error}", _MAKE) from error
            sizes += [entry.file_size for entry in entries]
            sizes += [entry.file_size for entry in entries if entry.filename.endswith(".py")]
        return room_of(sizes)

    def write(self, folder: Path, compile_in: Callable[[Path], None] = compile_modules) -> None:
        """Unpack them; see :class:`~edgekit.deploy.site.code.Code`."""
        folder = folder.absolute()  # pip is run elsewhere
        scratch = folder.parent / ".unpacking"  # pip writes beside its target first: on the same file system, then
        listing = scratch / REQUIREMENTS
        with writing(scratch):
            scratch.mkdir()
            lines = (f"{one.name}=={one.version} --hash=sha256:{one.sha256}\n" for one in self.packages())
            listing.write_text("".join(lines), encoding="utf-8")
        arguments = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--no-index"]
        arguments += ["--find-links", str(self.folder.absolute()), "--require-hashes", "--no-deps", "--no-compile"]
        arguments += ["--target", str(folder), "--requirement", str(listing)]
        command = [sys.executable, "-s", *self._pip(), "--isolated", *arguments]
        done = run_clean(command, {"PIP_CONFIG_FILE": "/dev/null", "TMPDIR": str(scratch), "HOME": str(scratch)})
        shutil.rmtree(scratch, ignore_errors=True)
        if done.returncode != 0:
            refusal = DiskFull if os.strerror(errno.ENOSPC) in done.stderr else EdgeKitError
            message = f"pip can't unpack the wheels in {self.folder}: {gist(done.stderr.strip())}"
            raise refusal(message, f"Check the disk of {folder}, and the folder of wheels.")
        shutil.rmtree(folder / "bin", ignore_errors=True)  # scripts, which name a place that the release will leave
        compile_in(folder)

    def _pip(self) -> list[str]:
        carried = [wheel.absolute() for one, wheel in self._wheels if one.name == _PIP]
        return [str(carried[0] / "pip")] if carried else ["-m", "pip"]

    @cached_property
    def _code(self) -> list[tuple[Package, Path]]:
        return [(one, wheel) for one, wheel in self._wheels if one.name != _PIP]

    @cached_property
    def _wheels(self) -> list[tuple[Package, Path]]:
        here = list(self._here())
        wanted = (line for line in requirements(self.folder) if line[0].marker is None or line[0].marker.evaluate())
        wheels = [self._wheel(requirement, hashes, here) for requirement, hashes in wanted]
        if OWN not in {one.name for one, _ in wheels}:
            raise EdgeKitError(f"{self.folder / REQUIREMENTS} does not name edgekit itself", _MAKE)
        return wheels

    def _here(self) -> Iterator[tuple[str, Version, Path]]:
        """The wheels in the folder that this interpreter can use; the most special first, as pip takes them."""
        ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
        fitting = []
        for path in sorted(self.folder.glob("*.whl")):
            try:
                name, version, _, tags = parse_wheel_filename(path.name)
            except (InvalidWheelFilename, InvalidVersion):
                continue
            if usable := [ranks[tag] for tag in tags if tag in ranks]:
                fitting.append((min(usable), name, version, path))
        yield from ((name, version, path) for _, name, version, path in sorted(fitting))

    @staticmethod
    def _wheel(
        requirement: Requirement, hashes: set[str], here: list[tuple[str, Version, Path]]
    ) -> tuple[Package, Path]:
        for name, version, path in here:
            if name == canonicalize_name(requirement.name) and requirement.specifier.contains(
                version, prereleases=True
            ):
                digest = Reader().digest(path, path.stat().st_size)
                if digest not in hashes:
                    message = f"{path} is not the file that {REQUIREMENTS} has the hash of"
                    raise EdgeKitError(message, "It was damaged or changed: copy the folder of wheels again.")
                return package(name, str(version), digest), path
        message = f"There is no wheel of {requirement.name}{requirement.specifier} for this Python and processor"
        raise EdgeKitError(message, f"In the folder of --wheels. {_MAKE}")


def requirements(folder: Path) -> Iterator[tuple[Requirement, set[str]]]:
    """Yield each line of a folder's requirements.txt with its hashes (SHA-256, hex), whatever its marker says.

    :class:`EdgeKitError` where it can't be read, or a line pins no version, or has no hash.
    """
    path = folder / REQUIREMENTS
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        message = f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise EdgeKitError(message, "Give the folder that `make wheels` wrote as --wheels.") from error
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        hashes = set(_HASH.findall(line))
        try:
            requirement = Requirement(_HASH.sub("", line))
        except InvalidRequirement as error:
            raise EdgeKitError(f"{path}: {gist(line)!r} is no requirement with its hashes", _MAKE) from error
        pinned = len(requirement.specifier) == 1 and next(iter(requirement.specifier)).operator == "=="
        if not hashes or not pinned:
            raise EdgeKitError(f"{path}: {requirement.name} has no hash, or not one version", _MAKE)
        yield requirement, hashes
