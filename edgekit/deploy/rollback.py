"""Going back from a release: from one on trial by itself or as somebody asks, from one that was committed as asked.

A trial is ended by undoing the install that began it, step by step. What was committed is left for the release before
it, which is still there. Of `edgekit rollback`, `--failed` is what systemd runs where the service failed for good.
"""

from __future__ import annotations

from edgekit.deploy.journal import Journal, Operation, alone
from edgekit.deploy.leaving import leave, return_to
from edgekit.deploy.runner import recover, switches
from edgekit.deploy.states import SHORT, read_committed, trial_to_end
from edgekit.deploy.steps import UNIT, Hands
from edgekit.deploy.systemd import ServiceState
from edgekit.errors import InputError

CRASHED = "the service failed again and again"
ASKED = "somebody asked for it"


def roll_back(hands: Hands) -> Operation:
    """Go back to the release before, as somebody asks; the release is not remembered as bad.

    :class:`InputError` where there is none to go back to. Errors as of starting the service.
    """
    journal = Journal(hands.layout.state)
    with alone(hands.layout.state):
        if (trial := trial_to_end(hands.layout)) is not None:
            return leave(journal, trial, hands, ASKED, is_bad=False)
        interrupted = recover(journal, hands, gives_up=True)
        is_up = interrupted is not None and (switches(interrupted) or hands.services.state(UNIT).runs)
        if interrupted is not None and interrupted.result == "undone" and is_up:
            return interrupted
        return _leave_committed(journal, hands)


def end_failed(hands: Hands) -> Operation | None:
    """Go back from a release on trial whose service failed for good; None where nothing is on trial, or it runs.

    It is remembered as bad. Without a trial nothing is undone: what was committed has proved itself, so that the reason
    lies elsewhere, a driver or a full disk say. What was started too often by somebody, and not by systemd, is started
    again, and that is all.
    """
    journal = Journal(hands.layout.state)
    with alone(hands.layout.state):
        trial, state = trial_to_end(hands.layout), hands.services.state(UNIT)
        interrupted = journal.unfinished()
        # What failed may be the way back, and the timer goes on with that.
        if state.runs or (interrupted is not None and interrupted.is_to_be_undone):
            return None
        if _is_restarted_by_hand(state):
            hands.services.reset_failed(UNIT)
            hands.services.start(UNIT)
            return None
        return None if trial is None else leave(journal, trial, hands, CRASHED, is_bad=True)


def _is_restarted_by_hand(state: ServiceState) -> bool:
    """Whether systemd refuses a start because of those that somebody asked for: no crash was among them."""
    return state.result == "start-limit-hit" and state.restarts == 0


def _leave_committed(journal: Journal, hands: Hands) -> Operation:
    committed = read_committed(hands.layout)
    previous = committed.previous if committed else ""
    if not committed or previous not in hands.layout.identities():
        what = f"{committed.release[:SHORT]} is the only release here" if committed else "nothing is installed"
        raise InputError(f"There is nothing to go back to: {what}", "`edgekit install BUNDLE` installs another one.")
    return return_to(journal, previous, hands, committed.release, ASKED)
