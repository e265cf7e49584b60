"""A ward to try things in: in a folder of its own, with a clock that goes as the test says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.ward.keys import Master
from edgekit.ward.moments import Moment
from edgekit.ward.ward import Ward

MASTER = Master(bytes(range(32)))
START_S = 1_800_000_000
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Picture:
    """A picture as it comes to be stored."""

    file: bytes = b"pixels"
    media_type: str = "image/png"
    facts: Mapping[str, Any] = field(default_factory=lambda: {"width": 3, "height": 2})
    notes: tuple[str, ...] = ()
    warnings: tuple[Any, ...] = ()


@dataclass
class Clock:
    """A clock, and the time since this start."""

    boot: str = "first"
    up_s: float = 1000.0
    wall_s: int = START_S

    def __call__(self) -> Moment:
        return Moment(self.boot, self.up_s, self.wall_s)

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.up_s += seconds
        self.wall_s += int(seconds)

    def restart(self, wall_s: int) -> None:
        """Start the device anew, with a clock that says what it does then."""
        self.boot += "'"
        self.up_s, self.wall_s = 10.0, wall_s


def open_ward(folder: Path, clock: Clock | None = None, *, serving: bool = False) -> Ward:
    """Open the ward that a folder holds."""
    return Ward.open(folder / "state", MASTER, serving=serving, clock=clock or Clock())


def zero(path: Path, start: int, length: int) -> None:
    """Overwrite bytes of a file by zeros, as a bad disk does."""
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(bytes(length))
