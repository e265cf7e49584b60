"""The embedded model's bundles for any processor, each built once in a process for all tests that only read it.

A build takes some six seconds of a processor, most of them for golden answers. A test that writes into its bundle takes
a copy; that none has forgotten to is looked at in the end.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.bundle import Bundle, open_bundle

if TYPE_CHECKING:
    from edgekit.pipeline import Built

Listing = dict[str, tuple[int, int]]


class EmbeddedBundles:
    """Bundles by their recipes' names, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, Built] = {}
        self._listings: dict[str, Listing] = {}

    def __call__(self, name: str) -> Bundle:
        """Return the bundle by the recipe ``name``, which is to be read only."""
        return self.built(name).bundle

    def built(self, name: str) -> Built:
        """Return what the build by the recipe ``name`` came to."""
        if name not in self._built:
            built = _build(name, self._folder / name)
            self._built[name], self._listings[name] = built, listing(built.bundle.path)
        return self._built[name]

    def copy(self, name: str, folder: Path) -> Bundle:
        """Copy the bundle by the recipe ``name`` to ``folder``, with its compiled form: it is the caller's own."""
        return open_bundle(Path(shutil.copytree(self(name).path, folder)))

    def changed(self) -> list[str]:
        """Return the names of bundles that are no longer what was built."""
        return [name for name, before in self._listings.items() if listing(self._built[name].bundle.path) != before]


def listing(folder: Path) -> Listing:
    """Return size in bytes and time of change in nanoseconds of everything below ``folder``, by relative names."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*")}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def _build(name: str, folder: Path) -> Built:
    """Build; who asks for no bundle loads nothing of this."""
    from edgekit.phantom.embedded import embedded
    from edgekit.pipeline import build
    from edgekit.recipe import recipe
    from edgekit.target import target

    return build(embedded(), target("cpu"), recipe(name), folder)
