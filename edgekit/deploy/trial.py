"""A trial: what watches it, commits it or ends it, with nobody there.

`edgekit-commit.timer` has `edgekit commit --if-healthy` look every minute, as long as a release is on trial. After
:data:`HEALTHY` looks in a row at which the service answered it commits; after :data:`UNHEALTHY` at which it did not it
goes back, and so it does after :data:`CRASHES`, each of which has the healthy ones begin anew. Looks are counted, and
no clock is read: some devices wake up in 1970. A machine that was started anew during a trial goes back, too, before
the service starts: a release can take a whole machine down with it. That one may be innocent, so it is not remembered
as bad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgekit.deploy.health import OfTheMachine
from edgekit.deploy.journal import INSTALL, Busy, Journal, Operation, alone
from edgekit.deploy.leaving import leave
from edgekit.deploy.marking import Commit, Prune
from edgekit.deploy.runner import recover, run
from edgekit.deploy.states import SHORT, TRIAL, Trial, read_committed, read_trial, trial_to_end, write_trial
from edgekit.deploy.steps import COMMIT_TIMER, UNIT, Hands
from edgekit.errors import ConfigError, InputError
from edgekit.machine.moment import now

HEALTHY, UNHEALTHY = 10, 5
"""Looks in a row, a minute apart."""
CRASHES = 3
"""In a trial, however far apart; those in a quarter of an hour are the unit's to count."""
AGAIN = "it crashed, and was started again"


@dataclass(frozen=True)
class Look:
    """What a look at a trial led to: "nothing to watch", "busy", "stopped", "memory short", "healthy", "unhealthy",
    "committed" or "rolled back"; ``why`` it was not healthy, or what of the old releases could not be removed."""

    outcome: str
    why: str = ""


def commit(hands: Hands) -> Operation:
    """Commit the release that is on trial, as somebody asked; :class:`InputError` where none is."""
    journal = Journal(hands.layout.state)
    with alone(hands.layout.state):
        recover(journal, hands)
        trial = read_trial(hands.layout)
        if trial is None:
            committed = read_committed(hands.layout)
            what = f"{committed.release[:SHORT]} is committed already" if committed else "Nothing is installed"
            raise InputError(f"No release is on trial: {what}", "`edgekit status` says how it stands.")
        return _commit(journal, trial, hands)


def watch(hands: Hands, unhealthy: Callable[[], str]) -> Look:
    """Look once; ``unhealthy`` says why the service doesn't answer, "" where it does. What is of the machine's making
    (:class:`OfTheMachine`) counts neither way."""
    journal = Journal(hands.layout.state)
    try:
        with alone(hands.layout.state, wait=False):
            recover(journal, hands, gives_up=(hands.layout.state / TRIAL).exists())
            trial = trial_to_end(hands.layout)
            if trial is None:
                hands.services.stop(COMMIT_TIMER)
                return Look("nothing to watch")
            if trial.boot != now().boot:
                reason = REBOOTED if trial.boot else UNREADABLE
                leave(journal, trial, hands, reason, is_bad=False)
                return Look("rolled back", reason)
            if _is_stopped(hands):
                return Look("stopped")
            return _count(journal, trial, hands, unhealthy())
    except Busy:
        return Look("busy")


REBOOTED = "the machine was started anew during the trial"
UNREADABLE = "what was noted of the trial can't be read"


def end_at_boot(hands: Hands) -> Operation | None:
    """Go back from a trial that another start of the machine began, before the service is started: ``hands.services``
    starts and stops none. Return what was undone; None where there is nothing to undo.
    """
    journal = Journal(hands.layout.state)
    with alone(hands.layout.state):
        trial = trial_to_end(hands.layout)
        if trial is None or trial.boot == now().boot:
            return None
        return leave(journal, trial, hands, REBOOTED, is_bad=False)


def forced_of(operation: Operation | None) -> tuple[str, ...]:
    """Return the gates that an install passed over, a sentence each."""
    results = operation.results.values() if operation else ()
    return tuple(str(result["forced"]) for result in results if isinstance(result, dict) and "forced" in result)


def _is_stopped(hands: Hands) -> bool:
    """Whether somebody stopped the service: that speaks for nothing, and the trial waits."""
    state = hands.services.state(UNIT)
    return (state.active, state.result) == ("inactive", "success")


def left_of(operation: Operation) -> tuple[str, ...]:
    """Return what a commit could not remove of the old releases, and why."""
    results = [result for result in operation.results.values() if isinstance(result, dict)]
    return tuple(str(problem) for result in results for problem in result.get("left", ()))


def _count(journal: Journal, trial: Trial, hands: Hands, why: str) -> Look:
    counted = _with_crashes(trial, hands.services.state(UNIT).restarts)
    outcome = "unhealthy"
    if why and not isinstance(why, OfTheMachine):
        counted = replace(counted, unhealthy=counted.unhealthy + 1, healthy=0)
    elif counted.crashes > trial.crashes:
        why, counted = AGAIN, replace(counted, unhealthy=0, healthy=0)
    elif why:
        outcome = "memory short"
    else:
        outcome, counted = "healthy", replace(counted, healthy=counted.healthy + 1, unhealthy=0)
    if counted.crashes >= CRASHES:
        reason = f"it crashed {counted.crashes} times during the trial"
        leave(journal, trial, hands, reason, is_bad=True)
        return Look("rolled back", reason)
    if counted.unhealthy >= UNHEALTHY:
        reason = f"it did not answer for {UNHEALTHY} minutes: {why}"
        leave(journal, trial, hands, reason, is_bad=True)
        return Look("rolled back", reason)
    if counted.healthy >= HEALTHY:
        return Look("committed", "; ".join(left_of(_commit(journal, trial, hands))))
    write_trial(hands.layout, counted)
    return Look(outcome, why)


def _with_crashes(trial: Trial, restarts: int) -> Trial:
    """A trial with the crashes since the last look; systemd counts anew whenever somebody starts the service."""
    since = restarts - trial.restarts if restarts >= trial.restarts else restarts
    return replace(trial, restarts=restarts, crashes=trial.crashes + since)


def _commit(journal: Journal, trial: Trial, hands: Hands) -> Operation:
    if (running := hands.layout.running()) != trial.release:
        message = f"{trial.release[:SHORT]} is on trial, but {running[:SHORT] if running else 'nothing'} is installed"
        raise ConfigError(message, "End the trial with `edgekit rollback`.")
    forced = forced_of(journal.last(INSTALL))
    steps = [Commit(trial.release, trial.previous, forced), Prune()]
    return run(journal, "commit", {"release": trial.release}, steps, hands)
