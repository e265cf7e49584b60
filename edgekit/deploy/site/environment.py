"""The code of a release, copied from the environment that runs: `pip install` and `edgekit install` are enough.

What is copied is what EdgeKit's service needs, each file by the hash that it was installed with: a file that was
changed since, by a hand or by a disk, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath

from edgekit.bundle.hashes import Sealed
from edgekit.deploy.copying import Copy, copy_checked
from edgekit.deploy.record import Package, package
from edgekit.deploy.room import Room, room_of
from edgekit.deploy.site.compiled import compile_modules
from edgekit.deploy.site.listed import Listed, digest, listed, record_text
from edgekit.deploy.site.needed import needed
from edgekit.errors import EdgeKitError
from edgekit.files import write_text

_EXECUTABLE = 0o111


@dataclass(frozen=True)
class Environment:
    """The distributions of this environment that a service needs.

    - ``helpful``: extras of which what is there is taken (:func:`edgekit.deploy.site.needed.helpful_extras`)
    - ``path``: the folders of packages, ``sys.path`` without
    """

    helpful: tuple[str, ...] = ("dicom",)
    path: Sequence[str] | None = None

    def packages(self) -> tuple[Package, ...]:
        """Return each with the digest of its files; see :class:`~edgekit.deploy.site.code.Code`."""
        return tuple(package(one.metadata["Name"], one.version, digest(files)) for one, files in self._distributions)

    def room(self) -> Room:
        """Return what the files take, and the bytecode of the modules among them, which is about as long."""
        files = [file for _, of_one in self._distributions for file in of_one]
        modules = (file.entry.bytes for file in files if file.name.endswith(".py"))
        return room_of(file.entry.bytes for file in files) + room_of(modules)

    def write(self, folder: Path, compile_in: Callable[[Path], None] = compile_modules) -> None:
        """Copy it; see :class:`~edgekit.deploy.site.code.Code`."""
        copies: dict[str, Copy] = {}
        for distribution, files in self._distributions:
            remedy = f"install {distribution.metadata['Name']} again: pip install --force-reinstall --no-deps"
            for file in files:
                copy = Copy(Sealed(file.path, file.entry, remedy), folder / file.name, _mode(file.path))
                if copies.setdefault(file.name, copy).file.entry != file.entry:
                    raise EdgeKitError(
                        f"Two packages hold {file.name}, and each another one: {distribution.metadata['Name']} is one",
                        "Remove one of them, and install the other again.",
                    )
        copy_checked(list(copies.values()))
        for distribution, files in self._distributions:
            own = _metadata_folder(distribution, files) / "RECORD"
            write_text(folder / own, record_text(files, own.as_posix()))
        compile_in(folder)

    @cached_property
    def _distributions(self) -> list[tuple[Distribution, list[Listed]]]:
        return [(distribution, listed(distribution)) for distribution in needed(self.helpful, self.path)]


def _mode(path: Path) -> int:
    """A program that a package starts by its path stays one."""
    try:
        return 0o755 if path.stat().st_mode & _EXECUTABLE else 0o644
    except OSError:
        return 0o644  # the copying tells


def _metadata_folder(distribution: Distribution, files: list[Listed]) -> PurePosixPath:
    """The distribution's own folder, by its description, which every one has."""
    for file in files:
        path = PurePosixPath(file.name)
        if path.name == "METADATA" and path.parent.suffix == ".dist-info":
            return path.parent
    raise EdgeKitError(f"{distribution.metadata['Name']} has no METADATA among its files", "Install it again.")
