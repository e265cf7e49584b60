"""Where a device keeps what it adds to an installed bundle: engines and profiles lie with the service's data, by the
bundle's digest, and a release only has links to them.

So a release is never changed, and whoever goes back to one compiles nothing again: that can take ten minutes.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from edgekit.bundle import PROFILES
from edgekit.deploy.journal import make_folder
from edgekit.deploy.layout import BUNDLE, Layout
from edgekit.deploy.states import SHORT, point
from edgekit.deploy.steps import Hands, Step
from edgekit.engines.lock import ENGINES

_DIGITS = 16


def added(layout: Layout, digest: str) -> dict[str, PurePosixPath]:
    """Return the folders of what is added to the bundle of that digest, on the device, by their names in a bundle."""
    data = PurePosixPath("/", layout.data.relative_to(layout.root))
    return {name: data / name / digest[:_DIGITS] for name in (ENGINES, PROFILES)}


@dataclass(frozen=True)
class KeepApart(Step):
    """Let a release's engines and profiles lie with the service's data; ``digest`` is its bundle's."""

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


def forget_added(layout: Layout) -> None:
    """Remove engines and profiles of bundles that no release here has any more."""
    bundles = [layout.release(identity) / BUNDLE for identity in layout.identities()]
    for name in (ENGINES, PROFILES):
        kept = {Path(os.readlink(bundle / name)).name for bundle in bundles if (bundle / name).is_symlink()}
        folder = layout.data / name
        for digest in os.listdir(folder) if folder.is_dir() else ():
            if digest not in kept:
                shutil.rmtree(folder / digest, ignore_errors=True)  # what stays takes room, and does no other harm
