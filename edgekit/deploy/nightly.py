"""The nightly check of what is installed: its files first, which takes no memory, then the golden check in a process of
its own.

Where memory has no room for that beside the service, it is stopped for it only as far as the site allows it, never
while a release is on trial, and never where its files tell that it may not start again. All of it is alone with the
installation: no install and no rollback goes on meanwhile. A stop stands in the journal as an install's does, so that
whatever cuts the check, the timer starts the service again.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from edgekit.check.nightly import (
    FAILED,
    NOT_DONE,
    PASSED,
    Finding,
    Nightly,
    Part,
    after,
    not_done,
    part,
    read_nightly,
    write_nightly,
)
from edgekit.child import Crash, Overdue
from edgekit.deploy.install import downtime_s
from edgekit.deploy.journal import Busy, Journal, alone
from edgekit.deploy.layout import BUNDLE
from edgekit.deploy.marking import Watch
from edgekit.deploy.runner import run
from edgekit.deploy.starting import Revive, Stop
from edgekit.deploy.states import SHORT, read_trial
from edgekit.deploy.steps import UNIT, Hands
from edgekit.deploy.systemd import ServiceState
from edgekit.deploy.trying import CHECK, Examine
from edgekit.errors import ConfigError, EdgeKitError, GateRefused
from edgekit.machine.moment import now
from edgekit.progress import Progress

NIGHTLY: Final = "nightly check"
"""What an operation is called that stops the service for the check."""
BESIDE, STOPPED, ALONE = "beside", "stopped", "alone"
MOST_STOPPED_S: Final = 1800.0
"""How long the service stays stopped at most for its answers to be asked: a GPU may hang, or the hours be over."""
_DOWN: Final = ("inactive", "failed")
_MEND = "`sudo edgekit rollback` goes back to the release before; `edgekit doctor` looks for what changed here."
_NO_MEMORY = re.compile(r"out ?of ?memory|no room|bad_alloc|to pin for|insufficient memory|to allocate", re.IGNORECASE)
"""In what engines and their runtimes say where memory does not suffice: another process may hold it."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the check looks with.

    - ``look(release)``: what of a release and of its machine is no longer as it was
    - ``replaced(pid)``: what was replaced under a process, 0 for none; None where that can't be told
    - ``lacking(bundle)``: what is missing for a process beside the service; "" where there is room
    - ``forbidden()``: why the service may not be stopped now; "" where it may
    - ``hurried(hands, seconds)``: hands whose phases are ended after so many seconds
    """

    look: Callable[[str], Iterable[Finding]]
    replaced: Callable[[int], Iterable[Finding] | None]
    lacking: Callable[[Path], str]
    forbidden: Callable[[], str]
    hurried: Callable[[Hands, float], Hands]


def check_nightly(hands: Hands, means: Means) -> Nightly | None:
    """Check the release that is installed, write down what came of it, and return that; None where there is none. What
    failed of another release, which a trial may go back to, is kept until something of this one was looked at.

    :class:`~edgekit.errors.EdgeKitError` where it can't be written.
    """
    layout = hands.layout
    if not layout.running():
        return None
    try:
        with alone(layout.state, wait=False):
            release = layout.running() or ""
            hindered = _hindered(hands)
            nightly = _undone(release, hindered) if hindered else _check(release, hands, means)
    except Busy as busy:
        nightly = _undone(layout.running() or "", busy.message)
    earlier = read_nightly(layout.checked)
    nightly = after(earlier, nightly)
    was_done = nightly.files.outcome != NOT_DONE or nightly.answers.outcome != NOT_DONE
    if was_done or earlier is None or earlier.release == nightly.release or not earlier.failed:
        write_nightly(layout.checked, nightly)
    return nightly


def _hindered(hands: Hands) -> str:
    """Why nothing is looked at now."""
    try:
        trial = read_trial(hands.layout)
    except ConfigError as error:
        return error.message
    if trial is not None:
        return f"{trial.release[:SHORT]} is on trial, and is looked at every minute"
    unfinished = Journal(hands.layout.state).unfinished()
    return f"the {unfinished.name} was interrupted, and has to come to its end" if unfinished else ""


def _undone(release: str, why: str) -> Nightly:
    moment = now().time
    return Nightly(release=release, files=not_done(why, moment), answers=not_done(why, moment))


def _check(release: str, hands: Hands, means: Means) -> Nightly:
    files, state = _looked(release, hands, means), hands.services.state(UNIT)
    bundle = hands.layout.release(release) / BUNDLE
    if not state.ready and state.active not in _DOWN:
        why = f"the service is {state.active}, and what it takes and gives back meanwhile is not told"
        return Nightly(release=release, files=files, answers=not_done(why, now().time))
    lacking = means.lacking(bundle)
    if not lacking:
        manner = BESIDE if state.ready else ALONE
        return Nightly(release=release, files=files, answers=_asked(bundle, hands), manner=manner)
    if forbidden := _is_no_use(state, files) or means.forbidden():
        return Nightly(release=release, files=files, answers=not_done(f"{lacking}; {forbidden}", now().time))
    answers, downtime = _stopped(release, hands, means.hurried(hands, MOST_STOPPED_S))
    return Nightly(release=release, files=files, answers=answers, manner=STOPPED, downtime_s=downtime)


def _looked(release: str, hands: Hands, means: Means) -> Part:
    """What is told of the files; the process is asked for last, since hashing takes minutes."""
    findings = list(means.look(release))
    pid = hands.services.state(UNIT).pid
    replaced = means.replaced(pid)
    moment = now().time
    if replaced is None and not findings and hands.services.state(UNIT).pid == pid:
        return not_done("what was replaced under the running service can't be looked at", moment)
    return part([*findings, *(replaced or ())], moment)


def _is_no_use(state: ServiceState, files: Part) -> str:
    """Why stopping the service, which ``state`` tells of, is out of the question."""
    if not state.ready:
        return "the service does not run, so that no stop makes room"
    return "" if files.outcome == PASSED else "the service is not stopped where it may not start again"


def _asked(bundle: Path, hands: Hands) -> Part:
    try:
        hands.examine(CHECK, bundle, hands.progress)
    except EdgeKitError as error:
        return _failed(error)
    return Part(outcome=PASSED, at=now().time)


def _stopped(release: str, hands: Hands, hurried: Hands) -> tuple[Part, float | None]:
    """Stop the service, ask by the ``hurried`` hands, and start it again, whatever comes of it. Answers that fall short
    undo nothing; that the disk, the stop or the start failed says nothing of them."""
    told: list[Part] = []

    def examine(phase: str, bundle: Path, progress: Progress) -> Mapping[str, Any]:
        told.append(_asked(bundle, hurried))
        return {"outcome": told[0].outcome}

    journal = Journal(hands.layout.state)
    steps = [Watch(), Stop(), Examine(CHECK, release), Revive()]
    trouble: EdgeKitError | None = None
    try:
        run(journal, NIGHTLY, {"release": release}, steps, replace(hands, examine=examine))
    except EdgeKitError as error:
        trouble = error
    moment = now().time
    answers = told[0] if told else not_done(trouble.message if trouble else "", moment)
    if trouble is not None and not hands.services.state(UNIT).runs:
        down = Finding(f"the service does not run since it was stopped for the check: {trouble.message}", trouble.hint)
        answers = part([*(answers.findings if answers.outcome == FAILED else ()), down], moment)
    done = journal.last(NIGHTLY)
    return answers, downtime_s(done) if done and told else None


def _failed(error: EdgeKitError) -> Part:
    """What an error of the check says of the answers; one that ran out of memory says nothing."""
    moment = now().time
    if isinstance(error, Overdue):
        return not_done(f"{error.message}: nobody was to wait longer for the service", moment)
    if isinstance(error, Crash) and error.signal == signal.SIGKILL:
        return not_done(f"{error.message}, as it is where memory runs out", moment)
    if not isinstance(error, GateRefused) and _NO_MEMORY.search(error.message):
        return not_done(error.message, moment)
    return part([Finding(error.message, _MEND)], moment)
