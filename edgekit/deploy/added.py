"""Where a device keeps what it adds to an installed bundle: engines and profiles lie beside the releases, by the
bundle's digest, and a release only has links to them.

So a release is never changed, and whoever goes back to one compiles nothing again: that can take ten minutes. All of it
is root's, who runs what lies there and believes what it says; the service only reads it. Which engines are believed
and what was forced stands in records of each bundle's beside the journal (:mod:`edgekit.engines.believed`,
:mod:`edgekit.bundle.forced`), to which a release has links, too.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from edgekit.bundle import PROFILES
from edgekit.bundle.forced import FORCED
from edgekit.deploy.journal import make_folder
from edgekit.deploy.layout import BUNDLE, Layout
from edgekit.deploy.states import SHORT, point
from edgekit.deploy.steps import Hands, Step
from edgekit.engines.believed import RECORD
from edgekit.engines.lock import ENGINES
from edgekit.files import writing

_DIGITS = 16
_FORCED = "forced"


def added(layout: Layout, digest: str) -> dict[str, PurePosixPath]:
    """Return the folders of what is added to the bundle of that digest, on the device, by their names in a bundle."""
    folder = layout.prefix / layout.added.name
    return {name: folder / name / digest[:_DIGITS] for name in (ENGINES, PROFILES)}


def records(layout: Layout, digest: str) -> dict[str, PurePosixPath]:
    """Return where it stands, on the device, which engines of the bundle of that digest are believed, and what was
    forced at its install, by their names in a bundle."""
    folder, name = layout.prefix / layout.state.name, f"{digest[:_DIGITS]}.json"
    return {RECORD: folder / ENGINES / name, FORCED: folder / _FORCED / name}


@dataclass(frozen=True)
class KeepApart(Step):
    """Let a release's engines and profiles lie beside the releases; ``digest`` is its bundle's."""

    release: str
    digest: str
    title: ClassVar[str] = "Link engines and profiles"

    def show(self, hands: Hands) -> str:
        engines, profiles = added(hands.layout, self.digest).values()
        return f"let engines and profiles of {self.release[:SHORT]} lie in {engines} and {profiles}"

    def do(self, hands: Hands) -> Any:
        for name, folder in added(hands.layout, self.digest).items():
            make_folder(hands.layout.at(folder))
            link = hands.layout.release(self.release) / BUNDLE / name
            if not link.is_symlink():
                point(link, str(folder))
        for name, record in records(hands.layout, self.digest).items():
            make_folder(hands.layout.at(record.parent))
            link = hands.layout.release(self.release) / BUNDLE / name
            if not link.is_symlink():
                point(link, str(record))


def let_read(bundle: Path) -> None:
    """Let everybody read, and its owner alone write, what an installed bundle was given, whatever umask made it.

    :class:`~edgekit.errors.EdgeKitError` as of the disk.
    """
    for link in (bundle / name for name in (ENGINES, PROFILES)):
        if link.is_symlink():
            with writing(link):
                _let_read(Path(os.path.realpath(link)))


def forget_added(layout: Layout) -> None:
    """Remove engines and profiles of bundles that no release here has any more; no link is followed."""
    bundles = [layout.release(identity) / BUNDLE for identity in layout.identities()]
    for name in (ENGINES, PROFILES):
        kept = {Path(os.readlink(bundle / name)).name for bundle in bundles if (bundle / name).is_symlink()}
        folder = layout.added / name
        for digest in os.listdir(folder) if folder.is_dir() and not folder.is_symlink() else ():
            if digest not in kept:
                shutil.rmtree(folder / digest, ignore_errors=True)  # what stays takes room, and does no other harm
    noted = {Path(os.readlink(bundle / RECORD)).name for bundle in bundles if (bundle / RECORD).is_symlink()}
    for path in (*(layout.state / ENGINES).glob("*.json"), *(layout.state / _FORCED).glob("*.json")):
        if path.name not in noted:
            path.unlink(missing_ok=True)


def _let_read(folder: Path) -> None:
    for above, _, files in os.walk(folder):
        os.chmod(above, 0o755)
        for path in (Path(above, name) for name in files):
            if not path.is_symlink():
                os.chmod(path, 0o644)
