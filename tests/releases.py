"""A small bundle, and code of a few files: what a release is made of where a test does not care what of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from edgekit.bundle import Bundle, open_bundle, sealing
from edgekit.deploy.record import Package, package
from edgekit.deploy.room import Room, room_of
from edgekit.files import writing
from tests import specs

UNIT = "0" * 64


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names relative to ``folder``."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def small_bundle(folder: Path, files: Mapping[str, bytes]) -> Bundle:
    """A bundle of these files; nothing could run it."""
    with sealing(folder, specs.manifest()) as inside:
        write_files(inside, files)
    return open_bundle(folder)


class PlainCode:
    """Code as it is given: files by their names."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def packages(self) -> tuple[Package, ...]:
        lines = [f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(self.files.items())]
        return (package("plain", "1", hashlib.sha256("\n".join(lines).encode()).hexdigest()),)

    def room(self) -> Room:
        return room_of(len(content) for content in self.files.values())

    def write(self, folder: Path, compile_in: Callable[[Path], None] | None = None) -> None:
        with writing(folder):
            write_files(folder, self.files)
