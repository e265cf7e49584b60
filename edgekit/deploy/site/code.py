"""What the code of a release is asked for, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edgekit.deploy.record import Package
from edgekit.deploy.room import Room
from edgekit.deploy.site.compiled import compile_modules


class Code(Protocol):
    """EdgeKit and all that it needs, to be written into a folder that ``PYTHONPATH`` will name.

    What is missing, is not what it was, or can't be written is an :class:`~edgekit.errors.EdgeKitError`. What was
    written until then is the caller's to remove.
    """

    def packages(self) -> tuple[Package, ...]:
        """Return what it holds, by digests."""

    def room(self) -> Room:
        """Return what it will take on a disk."""

    def write(self, folder: Path, compile_in: Callable[[Path], None] = compile_modules) -> None:
        """Write it into ``folder``, which is new, every hash compared, and have its modules compiled by ``compile_in``;
        not durably yet."""
