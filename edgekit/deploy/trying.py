"""Steps that lead to a release that may run: the machine looked at, hashes compared, the release written, and then its
own code compiling, checking and measuring its own bundle: what is gated is what is installed.

None of them touches what runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edgekit.deploy.layout import BUNDLE
from edgekit.deploy.marking import discard, needed
from edgekit.deploy.states import SHORT
from edgekit.deploy.steps import Hands, Step
from edgekit.errors import GateRefused

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
    reason that was passed over.
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
            return {"forced": refused.message}
