"""Doing an operation's steps, so that any later run can complete or undo it, wherever it was cut.

Before a step is begun, and after it is done, the journal says so on the disk. Where one fails, all that were begun are
undone in reverse; what can't be undone now, on a full disk say, is left to the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from edgekit.deploy.journal import Journal, Operation
from edgekit.deploy.kinds import KINDS
from edgekit.deploy.placing import Switch
from edgekit.deploy.starting import Stop
from edgekit.deploy.states import TRIAL, end_trial, remember_bad, set_rescue
from edgekit.deploy.steps import COMMIT_TIMER, UNIT, Hands, Step, document, load
from edgekit.errors import ConfigError, EdgeKitError

INTERRUPTED = "it was interrupted"


def run(journal: Journal, name: str, about: Mapping[str, Any], steps: Sequence[Step], hands: Hands) -> Operation:
    """Do ``steps`` as an operation ``name``, and return it; on any error or interruption all of it is undone, and the
    error goes on.

    ``about`` has the "release" that the operation is about, which a failure may speak against.
    """
    operation = journal.begin(name, about, [document(step) for step in steps])
    complete(journal, operation, hands)
    return operation


def complete(journal: Journal, operation: Operation, hands: Hands) -> None:
    """Do the steps of an operation that are not done; undo all of it where that fails."""
    try:
        _drive(journal, operation, hands)
    except BaseException as error:
        is_error = isinstance(error, EdgeKitError)
        reason = error.message if isinstance(error, EdgeKitError) else INTERRUPTED
        try:
            take_back(journal, operation, hands, reason, is_bad=is_error and _blames(operation))
        except EdgeKitError as second:
            if isinstance(error, EdgeKitError):
                more = f"Not all of it is undone ({second.message}): the next `edgekit rollback` goes on with that."
                error.hint = f"{error.hint}\n{more}".strip()
        raise


def take_back(
    journal: Journal, operation: Operation, hands: Hands, reason: str, *, is_bad: bool, gives_up: bool = False
) -> None:
    """Undo an operation, also one that came to its end; with ``is_bad`` its release is remembered as bad. ``gives_up``
    as of :func:`undo`.

    What was begun after it and interrupted, a commit say, is undone before: nothing completes that later.
    """
    later = journal.unfinished()
    if later is not None and later.number > operation.number:
        take_back(journal, later, hands, INTERRUPTED, is_bad=False, gives_up=True)
    with suppress(EdgeKitError):  # the disk may be full, and undoing is what makes room
        journal.fail(operation, reason, is_bad=is_bad)
    operation.reason, operation.is_bad = reason, is_bad
    undo(journal, operation, hands, gives_up=gives_up)


def undo(journal: Journal, operation: Operation, hands: Hands, *, gives_up: bool = False) -> None:
    """Undo every step of an operation that was begun, the last one first, and note its end.

    One that fails does not keep the others from being undone, but for what keeps watch over it; its error comes at the
    end, and then the operation has not ended: the next run undoes what is left, and nothing twice but what came after a
    switch that was stuck: the service was started with what ``current`` named. Of a step that another version wrote and
    this one can't read, the release before is what is gone back to.

    Where an operation switches nothing, a nightly check say, its start is the same one again: it may fail for good, and
    ``gives_up`` leaves the service stopped then, so that another release can be installed or gone back to.
    """
    errors: list[EdgeKitError] = []
    is_stuck = False
    hands = replace(hands, begun=frozenset(str(operation.steps[number].get("step")) for number in operation.begun))
    if operation.is_bad:
        with suppress(EdgeKitError):
            remember_bad(hands.layout, str(operation.about["release"]))
    steps, is_unread = _readable(operation)
    for number, step in steps.items():
        if errors and step.keeps_watch:
            continue
        try:
            if is_unread and step.keeps_watch:
                _fall_back(operation, hands)
            step.undo(hands, operation.begun[number])
        except EdgeKitError as error:
            if gives_up and isinstance(step, Stop) and not switches(operation):
                continue
            errors.append(error)
            is_stuck = is_stuck or _is_point_of_return(operation.steps[number])
            continue
        if not is_stuck:
            with suppress(EdgeKitError):
                journal.undid(operation, number)
    if errors:
        raise errors[0]
    if is_unread:
        _fall_back(operation, hands)
    journal.end(operation, "undone")


def recover(journal: Journal, hands: Hands, *, gives_up: bool = False) -> Operation | None:
    """Bring an operation that was interrupted to its end, and return it; None where none was.

    It is undone, or completed from its point of return on; what can't be completed is undone, and no error.
    ``gives_up`` as of :func:`undo`.
    """
    operation = journal.unfinished()
    if operation is None:
        return None
    if operation.is_to_be_undone:
        undo(journal, operation, hands, gives_up=gives_up)
    elif any(_is_point_of_return(operation.steps[number]) for number in operation.begun):
        try:
            complete(journal, operation, hands)
        except EdgeKitError:
            if not operation.result:
                raise
    else:
        take_back(journal, operation, hands, INTERRUPTED, is_bad=False, gives_up=gives_up)
    return operation


def switches(operation: Operation) -> bool:
    """Say whether an operation leads to another release."""
    return any(_is_point_of_return(step) for step in operation.steps)


def _drive(journal: Journal, operation: Operation, hands: Hands) -> None:
    for number, written in enumerate(operation.steps):
        if number in operation.done_ms:
            continue
        step = load(KINDS, written)
        if number not in operation.begun:
            journal.intend(operation, number, step.before(hands))
        hands.progress(step.title, 0, 1)
        journal.did(operation, number, step.do(hands))
        hands.progress(step.title, 1, 1)
    journal.end(operation, "done")


def _readable(operation: Operation) -> tuple[dict[int, Step], bool]:
    """The steps that are to be undone, by their numbers, the last one first; and whether some can't be read."""
    numbers = sorted(set(operation.begun).difference(operation.undone_ms), reverse=True)
    steps: dict[int, Step] = {}
    for number in numbers:
        with suppress(ConfigError):
            steps[number] = load(KINDS, operation.steps[number])
    return steps, len(steps) < len(numbers)


def _fall_back(operation: Operation, hands: Hands) -> None:
    """Let the release before run, and end the trial; without one nothing that runs was touched."""
    previous, layout = str(operation.about.get("previous", "")), hands.layout
    if (layout.state / TRIAL).exists() and previous in layout.identities():
        Switch(previous).do(hands)
        hands.services.reset_failed(UNIT)
        hands.services.restart(UNIT)
        end_trial(layout)
        set_rescue(layout, previous)
        hands.services.stop(COMMIT_TIMER)


def _is_point_of_return(written: Mapping[str, Any]) -> bool:
    kind = KINDS.get(str(written.get("step")))
    return kind is not None and kind.is_point_of_return


def _blames(operation: Operation) -> bool:
    """Whether what failed was a step whose failure speaks against the release."""
    failed = max(operation.begun, default=-1)
    written = operation.steps[failed] if failed >= 0 and failed not in operation.done_ms else {}
    kind = KINDS.get(str(written.get("step")))
    return kind is not None and kind.blames
