"""What the nightly check of an installed service said: written by root, read by the service and by ``edgekit status``.

Two parts, each with its own time: the files (is what lies on the disk still what the service runs with, and what it was
installed with?) and the answers (the golden check, in a process of its own). One that could not be done says why, and
takes nothing back that failed before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgekit import config
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.errors import EdgeKitError

PASSED, FAILED, NOT_DONE = "passed", "failed", "not done"
OUTCOMES: Final = (PASSED, FAILED, NOT_DONE)
VARIABLE: Final = "EDGEKIT_CHECKED"
"""Where the service's unit names the file."""


@dataclass(frozen=True)
class Finding:
    """What is wrong, or why something was not done; and what to do."""

    what: str
    mend: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """How a part fell out: ``outcome`` of :data:`OUTCOMES`, ``at`` by ISO 8601, and what is to be said of it."""

    outcome: str
    at: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Nightly:
    """What the last check said.

    - ``release``: the ID of the one that was checked
    - ``files``: whether what lies on the disk is what the service runs with; ``answers``: the golden check
    - ``manner``: how that was asked: "beside" the service, while it was "stopped", "alone" where it did not run; ""
    - ``downtime_s``: how long nobody was answered for it; None where the service went on
    """

    release: str
    files: Part
    answers: Part
    manner: str = ""
    downtime_s: float | None = None

    @property
    def parts(self) -> dict[str, Part]:
        """Both parts, by their names."""
        return {"files": self.files, "answers": self.answers}

    @property
    def failed(self) -> bool:
        """Whether either part failed."""
        return FAILED in (self.files.outcome, self.answers.outcome)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return dict(config.dump(self))


def part(findings: Iterable[Finding], at: str) -> Part:
    """Return a part that failed where there are findings, and passed where there are none."""
    told = tuple(findings)
    return Part(outcome=FAILED if told else PASSED, at=at, findings=told)


def not_done(why: str, at: str) -> Part:
    """Return a part that was not done."""
    return Part(outcome=NOT_DONE, at=at, findings=(Finding(why),))


def after(earlier: Nightly | None, later: Nightly) -> Nightly:
    """Return what holds after a check: what failed before, of the same release, holds until it is looked at again."""
    if earlier is None or earlier.release != later.release:
        return later
    parts = {
        name: before if (now.outcome, before.outcome) == (NOT_DONE, FAILED) else now
        for (name, now), before in zip(later.parts.items(), earlier.parts.values(), strict=True)
    }
    return Nightly(release=later.release, manner=later.manner, downtime_s=later.downtime_s, **parts)


def read_nightly(path: Path) -> Nightly | None:
    """Read what the last check said; None before the first, and where that can't be read."""
    try:
        return load_json(path, Nightly)
    except EdgeKitError:
        return None


def write_nightly(path: Path, nightly: Nightly) -> None:
    """Write it, on the disk; everybody may read it. :class:`EdgeKitError` where that can't be done."""
    write_json(path, nightly)


def nightly_here() -> Nightly | None:
    """Read what the last check said of the service that this process is; None where it is no installed one, and where
    another release was looked at last."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    nightly = read_nightly(Path(named))
    return nightly if nightly and nightly.release == _current(Path(named)) else None


def _current(path: Path) -> str:
    """The release that is installed where ``path`` is PREFIX/state/checked, by the link PREFIX/current."""
    try:
        return Path(os.readlink(path.parent.parent / "current")).name
    except OSError:
        return ""
