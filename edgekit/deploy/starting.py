"""Steps that stop and start the service: between them nobody is answered.

An install stops the old release, switches, and starts the new one. Undone in reverse, it stops the new one, switches
back, and starts the old one again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from edgekit.deploy.steps import UNIT, Hands, Step
from edgekit.errors import EdgeKitError


@dataclass(frozen=True)
class Stop(Step):
    """Stop the service; it brings the answers that it has begun to an end first. Undoing starts it, if it ran.

    Where another release was started since, the one before is started even if it did not run: whoever installs wants a
    service. It may be what the install was to mend, so that there its failure is none of the undoing's.
    """

    title: ClassVar[str] = "Stop the service"

    def show(self, hands: Hands) -> str:
        return f"systemctl stop {UNIT}"

    def before(self, hands: Hands) -> Any:
        return hands.services.state(UNIT).runs

    def do(self, hands: Hands) -> Any:
        hands.services.stop(UNIT)

    def undo(self, hands: Hands, before: Any) -> None:
        if before:
            _start_again(hands)
        elif _STARTED in hands.begun and hands.layout.running():
            with suppress(EdgeKitError):
                _start_again(hands)


@dataclass(frozen=True)
class Start(Step):
    """Start the service, and wait until it says that it is ready. Undoing stops it.

    One that somebody started since it was stopped runs the release before, and is started anew: a service sees the
    release that it began with until it ends.
    """

    title: ClassVar[str] = "Start the service"
    blames: ClassVar[bool] = True

    def show(self, hands: Hands) -> str:
        return f"systemctl restart {UNIT}, which waits until it is ready"

    def do(self, hands: Hands) -> Any:
        hands.services.reset_failed(UNIT)
        hands.services.restart(UNIT)

    def undo(self, hands: Hands, before: Any) -> None:
        hands.services.stop(UNIT)


@dataclass(frozen=True)
class Revive(Step):
    """Start the installed release's service, and wait until it is ready. That it does not start speaks for the machine,
    and not against a release that has proved itself; undoing leaves it to :class:`Stop`."""

    title: ClassVar[str] = "Start the service again"

    def show(self, hands: Hands) -> str:
        return f"systemctl restart {UNIT}, which waits until it is ready"

    def do(self, hands: Hands) -> Any:
        hands.services.reset_failed(UNIT)
        hands.services.restart(UNIT)


_STARTED = Start.__name__


def _start_again(hands: Hands) -> None:
    """Start the service with the release that ``current`` names; what runs may be the one that is left."""
    hands.services.reset_failed(UNIT)
    if _STARTED in hands.begun:
        hands.services.restart(UNIT)
    else:
        hands.services.start(UNIT)
