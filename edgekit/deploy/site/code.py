"""What the code of a release is asked for, wherever it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edgekit.deploy.record import Package
from edgekit.deploy.room import Room


class Code(Protocol):
    """EdgeKit and all that it needs, to be written into a folder that ``PYTHONPATH`` will name.

    What is missing, is not what it was, or can't be written is an :class:`~edgekit.errors.EdgeKitError`. What was
    written until then is the caller's to remove.
    """

    def packages(self) -> tuple[Package, ...]:
        """Return what it holds, by digests."""

    def room(self) -> Room:
        """Return what it will take on a disk."""

    def write(self, folder: Path) -> None:
        """Write it into ``folder``, which is new, every hash compared; not durably yet."""
