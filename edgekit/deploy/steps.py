"""Steps as data: what one does, how it is shown before, and how it is undone.

A step is a frozen dataclass of plain fields, so that the journal holds it whole and any later run can do the rest or
undo what was done, whichever run began it. Doing a step twice is as good as once, and so is undoing one, also one that
was cut in the middle: nobody knows how far a process came that was killed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit import config
from edgekit.deploy.layout import Layout
from edgekit.errors import ConfigError
from edgekit.progress import Progress, silent

if TYPE_CHECKING:
    from edgekit.deploy.systemd import Services

UNIT, COMMIT_TIMER, CHECK_TIMER = "edgekit.service", "edgekit-commit.timer", "edgekit-check.timer"


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What steps work with, which no journal holds.

    - ``layout``: where the installation lies
    - ``services``: who starts and stops it
    - ``stage(bundle, wheels, identity, progress)``: write a release of a bundle, whole and on the disk; ``wheels`` ""
      for the running environment's code
    - ``examine(phase, bundle, progress)``: let a release's own code do a phase with its bundle, in a process of its
      own; :class:`~edgekit.errors.GateRefused` where it says no
    - ``preflight(bundle, wheels)``: raise what speaks against the machine
    - ``verify(bundle, progress)``: compare every file of a bundle with its hash
    - ``begun``: while an operation is undone, the kinds of its steps that were begun
    """

    layout: Layout
    services: Services
    stage: Callable[[Path, str, str, Progress], None]
    examine: Callable[[str, Path, Progress], Mapping[str, Any]]
    preflight: Callable[[Path, str], None]
    verify: Callable[[Path, Progress], None]
    progress: Progress = silent
    begun: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step(ABC):
    """One step.

    - ``title``: what people read while it is done
    - ``blames``: whether its failure speaks against the release, which is then remembered as bad
    - ``is_point_of_return``: whether an operation that was interrupted is undone before it is begun, and completed from
      then on
    - ``keeps_watch``: whether it is undone only once all that came after it is: until then it sees to that
    """

    title: ClassVar[str]
    blames: ClassVar[bool] = False
    is_point_of_return: ClassVar[bool] = False
    keeps_watch: ClassVar[bool] = False

    @abstractmethod
    def show(self, hands: Hands) -> str:
        """Say which command is run or what is written, in a line; nothing is done."""

    def before(self, hands: Hands) -> Any:
        """Return what undoing the step will need, as JSON has it; asked before it is begun for the first time."""
        return None

    @abstractmethod
    def do(self, hands: Hands) -> Any:
        """Do it, and return what came of it, as JSON has it; :class:`~edgekit.errors.EdgeKitError` where that fails."""

    def undo(self, hands: Hands, before: Any) -> None:
        """Bring back what was there ``before``; what only looks has nothing to undo."""
        return None


def document(step: Step) -> dict[str, Any]:
    """Return a step as JSON has it."""
    return {"step": type(step).__name__, **config.dump(step)}


def load(kinds: Mapping[str, type[Step]], written: Mapping[str, Any]) -> Step:
    """Return a step that :func:`document` wrote; what a newer version added to it is passed over.

    :class:`ConfigError` where another version's can't be read.
    """
    kind = kinds.get(str(written.get("step")))
    names = {field.name for field in fields(kind)} if kind else set()
    try:
        if kind is None:
            raise ConfigError(f"there is no step {written.get('step')!r}", "")
        return config.load(kind, {key: value for key, value in written.items() if key in names}, "the journal")
    except ConfigError as error:
        hint = "Another version of EdgeKit wrote it. Run the command with that version."
        raise ConfigError(f"A step of the journal can't be read: {error.message}", hint) from None


def show(steps: Sequence[Step], hands: Hands) -> list[str]:
    """Return a line for each step: what ``--dry-run`` prints."""
    return [f"{step.title}: {step.show(hands)}" for step in steps]
