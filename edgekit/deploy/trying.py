"""Steps that lead to a release that may run: the machine looked at, hashes compared, the release written, and then its
own code compiling, checking and measuring its own bundle: what is gated is what is installed.

None of them touches what runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgekit.bundle.forced import FORCED, ForcedGate, keep_forced
from edgekit.deploy.layout import BUNDLE
from edgekit.deploy.marking import discard, needed
from edgekit.deploy.states import SHORT
from edgekit.deploy.steps import Hands, Step
from edgekit.errors import GateRefused
from edgekit.machine.moment import now


class RefusedByFigures(GateRefused):
    """A gate said no, by these ``figures``, as JSON has them."""

    def __init__(self, message: str, hint: str, figures: Mapping[str, Any]) -> None:
        super().__init__(message, hint)
        self.figures = figures


COMPILE, CHECK, PROFILE = "compile", "check", "profile"
_TITLES = {COMPILE: "compile engines where they lack", CHECK: "the golden check", PROFILE: "measure against the budget"}


@dataclass(frozen=True)
class Preflight(Step):
    """Look at the machine, as the doctor does; whether there is room for two releases, staging looks."""

    bundle: str
    wheels: str
    title: ClassVar[str] = "Preflight"

    def show(self, hands: Hands) -> str:
        return "edgekit doctor"

    def do(self, hands: Hands) -> Any:
        hands.preflight(Path(self.bundle), self.wheels)


@dataclass(frozen=True)
class Verify(Step):
    """Compare every file of the bundle with its hash."""

    bundle: str
    title: ClassVar[str] = "Verify"

    def show(self, hands: Hands) -> str:
        return f"compare every file of {self.bundle} with its hash"

    def do(self, hands: Hands) -> Any:
        hands.verify(Path(self.bundle), hands.progress)


@dataclass(frozen=True)
class Stage(Step):
    """Write the release: bundle and code, beside its place, read back, then renamed in."""

    bundle: str
    wheels: str
    release: str
    title: ClassVar[str] = "Stage"

    def show(self, hands: Hands) -> str:
        code = f"the wheels of {self.wheels}" if self.wheels else "this environment's code"
        return f"write {self.bundle} and {code} to {hands.layout.release(self.release)}"

    def before(self, hands: Hands) -> Any:
        return hands.layout.release(self.release).is_dir()

    def do(self, hands: Hands) -> Any:
        hands.stage(Path(self.bundle), self.wheels, self.release, hands.progress)

    def undo(self, hands: Hands, before: Any) -> None:
        if not before and self.release not in needed(hands.layout):
            discard(hands.layout, self.release)


@dataclass(frozen=True)
class Examine(Step):
    """Let the release's own code do a phase with its bundle, in a process of its own.

    :class:`GateRefused` where that says no, unless the gate is ``forced``: then what came of it has "forced", the
    reason that was passed over, with the figures; and it is kept for the bundle, whose manifest is sealed.
    """

    phase: str
    release: str
    forced: bool = False
    title: ClassVar[str] = "Try"

    def show(self, hands: Hands) -> str:
        return f"{_TITLES[self.phase]}, by the code of {self.release[:SHORT]}{', forced' if self.forced else ''}"

    def do(self, hands: Hands) -> Any:
        bundle = hands.layout.release(self.release) / BUNDLE
        try:
            return dict(hands.examine(self.phase, bundle, hands.progress))
        except GateRefused as refused:
            if not self.forced:
                raise
            figures = dict(refused.figures) if isinstance(refused, RefusedByFigures) else {}
            self._keep(hands, bundle / FORCED, refused.message, figures)
            return {"forced": refused.message, **figures}

    def _keep(self, hands: Hands, link: Path, why: str, figures: Mapping[str, Any]) -> None:
        if not link.is_symlink():
            return  # an earlier version's release: the journal has it
        numbers = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
        gate = ForcedGate(gate=self.phase, why=why, release=self.release, at=now().time, figures=numbers)
        keep_forced(hands.layout.at(os.readlink(link)), gate)
