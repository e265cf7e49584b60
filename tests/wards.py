"""A ward to try things in: in a folder of its own, with a clock that goes as the test says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.inputs.kept.picture import PNG, KeptPicture, PictureFacts, PictureWarning
from edgekit.ward.keys import Master
from edgekit.ward.moments import Moment
from edgekit.ward.ward import Ward

MASTER = Master(bytes(range(32)))
START_S = 1_800_000_000
FACTS = PictureFacts(width=3, height=2, frames=1, bits=8, colour=False)
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Picture(KeptPicture):
    """A picture as it comes to be stored."""

    file: bytes = b"pixels"
    media_type: str = PNG
    facts: PictureFacts = FACTS
    notes: tuple[str, ...] = ()
    warnings: tuple[PictureWarning, ...] = ()


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
