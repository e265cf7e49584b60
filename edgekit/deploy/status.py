"""How an installation fares: which release, whether it is on trial, whether it answers, why the last one went back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from edgekit.check.nightly import Nightly, read_nightly
from edgekit.deploy.certificate import Shown, shown_by
from edgekit.deploy.install import downtime_s
from edgekit.deploy.journal import INSTALL, Journal, Operation
from edgekit.deploy.mending import MEND
from edgekit.deploy.nightly import NIGHTLY
from edgekit.deploy.states import Standing, State, standing
from edgekit.deploy.steps import UNIT, Hands
from edgekit.deploy.systemd import ServiceState
from edgekit.deploy.trial import HEALTHY, forced_of
from edgekit.deploy.trying import PROFILE
from edgekit.errors import EdgeKitError

_REACHED = {"Verify": State.VERIFIED, "Stage": State.STAGED, "Start": State.TRIAL, "Commit": State.COMMITTED}
_PHASES = {"compile": State.COMPILED, "check": State.CHECKED, "profile": State.PROFILED}


@dataclass(frozen=True, kw_only=True)
class Status:
    """How an installation fares.

    - ``standing``: what runs, on trial or committed
    - ``service``: in systemd's words; None where systemd can't be asked
    - ``unhealthy``: why it doesn't answer, "" where it does, and where nothing is installed
    - ``measured``: what the profile said before it was installed: bytes, and rows of the budget; {} where nothing was
    - ``forced``: the gates that were passed over for what runs
    - ``rolled_back``: the last operation that was undone; ``interrupted``: the last one that waits for its end
    - ``last_lines``: what the service wrote last, where it does not answer
    - ``nightly``: what the nightly check said of what runs; None where it has not looked at that yet
    - ``certificate``: what it shows its callers; None without one
    """

    standing: Standing
    service: ServiceState | None
    unhealthy: str
    measured: Mapping[str, Any]
    forced: tuple[str, ...]
    rolled_back: Operation | None
    interrupted: Operation | None
    last_lines: tuple[str, ...]
    nightly: Nightly | None
    certificate: Shown | None

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit status --json`` writes."""
        stands, trial = self.standing, self.standing.trial
        committed = stands.committed
        return {
            "release": stands.running,
            "state": stands.state,
            "previous": trial.previous if trial else committed.previous if committed else "",
            "trial": trial
            and {"began": trial.began, "healthy": trial.healthy, "of": HEALTHY, "crashes": trial.crashes},
            "service": self.service.active if self.service else "unknown",
            "healthy": bool(stands.running) and not self.unhealthy,
            "why": self.unhealthy,
            "measured": dict(self.measured),
            "forced": list(self.forced),
            "rolled_back": self.rolled_back and undone_document(self.rolled_back),
            "interrupted": self.interrupted.name if self.interrupted else "",
            "bad": list(stands.bad),
            "last_lines": list(self.last_lines),
            "problems": list(stands.problems),
            "nightly": self.nightly and self.nightly.document(),
            "certificate": self.certificate and self.certificate.document(),
        }


def status(hands: Hands, unhealthy: Callable[[Hands], str]) -> Status:
    """Look how an installation fares; nothing is changed, and nothing raised. ``unhealthy`` says why it doesn't
    answer."""
    stands, operations = standing(hands.layout), Journal(hands.layout.state).operations()
    of_release = [one for one in operations if one.name == INSTALL and one.about.get("release") == stands.running]
    installed = of_release[-1] if of_release else None
    undone = [one for one in operations if one.result == "undone" and one.name not in (MEND, NIGHTLY)]
    unfinished = [one for one in operations if not one.result]
    nightly = read_nightly(hands.layout.checked)
    try:
        service = hands.services.state(UNIT)
        why = unhealthy(hands) if stands.running else ""
    except EdgeKitError as error:
        service, why = None, error.message
    lines: tuple[str, ...] = ()
    if why:
        with suppress(EdgeKitError):
            lines = hands.services.last_lines(UNIT)
    return Status(
        standing=stands,
        service=service,
        unhealthy=why,
        measured=_measured(installed),
        forced=forced_of(installed),
        rolled_back=undone[-1] if undone else None,
        interrupted=unfinished[-1] if unfinished else None,
        last_lines=lines,
        nightly=nightly if nightly and nightly.release == stands.running else None,
        certificate=shown_by(hands.layout) if stands.running else None,
    )


def undone_document(operation: Operation) -> dict[str, Any]:
    """Return an operation that was undone as JSON has it: how far it came, why it went back, how long nobody was
    answered."""
    return {
        "operation": operation.name,
        "release": operation.about.get("release", ""),
        "reached": reached(operation),
        "reason": operation.reason,
        "at": operation.ended,
        "bad": operation.is_bad,
        "downtime_s": downtime_s(operation),
    }


def reached(operation: Operation) -> str:
    """Say how far an operation's release came, in the words of :class:`State`; "" where it was not even verified."""
    states = [_state_after(operation.steps[number]) for number in sorted(operation.done_ms)]
    return next((state.value for state in reversed(states) if state), "")


def _state_after(step: Mapping[str, Any]) -> State | None:
    return _PHASES.get(str(step.get("phase", ""))) or _REACHED.get(str(step["step"]))


def _measured(operation: Operation | None) -> Mapping[str, Any]:
    for number, step in enumerate(operation.steps if operation else ()):
        result = operation.results.get(number) if operation else None
        if step.get("phase") == PROFILE and isinstance(result, dict) and "budget" in result:
            return result
    return {}
