"""Removing an installation: the service first, then its units, the releases, what was noted of them.

What it keeps (accounts, conversations) and its configuration stay, unless they are to go, too. It only leads
forward: whatever interrupts it, running it again removes the rest.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.deploy.journal import alone
from edgekit.deploy.steps import CHECK_TIMER, COMMIT_TIMER, UNIT, Hands
from edgekit.deploy.unit.text import CHECK, GPU, ROLLBACK
from edgekit.deploy.watching import BOOT_UNIT, COMMIT_UNIT, ENABLED
from edgekit.errors import EdgeKitError, InputError
from edgekit.files import write_bytes

_UNITS = (UNIT, ROLLBACK, GPU, CHECK, CHECK_TIMER, COMMIT_TIMER, COMMIT_UNIT, BOOT_UNIT)


@dataclass(frozen=True)
class Uninstalled:
    """What was removed, and what was kept."""

    removed: tuple[Path, ...]
    kept: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit uninstall --json`` writes."""
        return {"removed": [str(path) for path in self.removed], "kept": [str(path) for path in self.kept]}


def plan_removal(hands: Hands, *, data: bool) -> Uninstalled:
    """Return what :func:`uninstall` would remove and keep, of what is there."""
    layout = hands.layout
    units = [layout.unit.with_name(name) for name in _UNITS]
    own = [*units, *layout.belongings, layout.current, layout.releases, layout.added, layout.state]
    kept = [layout.data, layout.configuration, layout.environment]
    there = [path for path in (*own, *(kept if data else ())) if path.exists() or path.is_symlink()]
    return Uninstalled(tuple(there), () if data else tuple(path for path in kept if path.exists()))


def uninstall(hands: Hands, *, data: bool) -> Uninstalled:
    """Remove the installation; with ``data``, what the service keeps and its configuration, too.

    :class:`InputError` where nothing is installed. Errors as of stopping the service and of the disk.
    """
    layout = hands.layout
    if not plan_removal(hands, data=data).removed:
        raise InputError(f"Nothing is installed in {layout.at(layout.prefix)}", "Give its --prefix, if it has one.")
    with alone(layout.state):
        planned = plan_removal(hands, data=data)
        for unit in (COMMIT_TIMER, CHECK_TIMER, UNIT):
            hands.services.stop(unit)
        for unit in (UNIT, *ENABLED):
            hands.services.disable(unit)
        units = {layout.unit.with_name(name) for name in _UNITS}.intersection(planned.removed)
        _remove_units(sorted(units), hands)
        for path in (path for path in planned.removed if path not in units):
            _remove(path)
    with suppress(OSError):  # it may hold more than ours
        layout.at(layout.prefix).rmdir()
    return planned


def _remove_units(units: list[Path], hands: Hands) -> None:
    """Remove units, and have systemd forget them; where it can't be told, they are there again: they say where the rest
    lies, and the next run begins with them."""
    texts = {path: path.read_bytes() for path in units if path.is_file()}
    for path in units:
        _remove(path)
    try:
        hands.services.reload()
    except EdgeKitError:
        for path, text in texts.items():
            write_bytes(path, text)
        raise


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeKitError(f"{path} can't be removed: {error.strerror}", "Mend that, then run it again.") from None
