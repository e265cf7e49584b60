"""What the nightly check looks with on this very machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from edgekit.bundle import open_bundle
from edgekit.deploy.beside import free_here, lacking, taken
from edgekit.deploy.changed import changed, replaced
from edgekit.deploy.health import settings
from edgekit.deploy.here import examine
from edgekit.deploy.hours import SETTING, forbidden
from edgekit.deploy.layout import Layout
from edgekit.deploy.nightly import Means
from edgekit.errors import EdgeKitError
from edgekit.machine.host import Host
from edgekit.progress import Progress, silent
from edgekit.serve.memory import guard_for


def means_here(layout: Layout, progress: Progress = silent) -> Means:
    """Return what looks at this machine's installation."""

    def lacking_here(bundle: Path) -> str:
        try:
            opened = open_bundle(bundle)
        except EdgeKitError as error:
            return error.message
        target = opened.manifest.target
        return lacking(taken(opened), free_here(target, Host()), guard_for(target).floor_bytes)

    return Means(
        look=lambda release: changed(layout, release, Host(), progress),
        replaced=replaced,
        hurried=lambda hands, seconds: replace(hands, examine=partial(examine, seconds=seconds)),
        lacking=lacking_here,
        forbidden=lambda: forbidden(settings(layout).get(SETTING, ""), datetime.now().astimezone()),
    )
