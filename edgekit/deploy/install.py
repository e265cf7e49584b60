"""From a bundle to a release on trial: the order of the steps, what is refused before the first, how long nobody was
answered.

All that needs nothing of what the running service holds comes first. Where compiling, checking and measuring need the
memory that it holds, it is stopped before them, and started again where one of them says no.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.deploy.added import KeepApart
from edgekit.deploy.journal import INSTALL, Journal, Operation, alone, make_folder
from edgekit.deploy.marking import BeginTrial, Commit
from edgekit.deploy.mending import MEND, mending_steps
from edgekit.deploy.order import Order
from edgekit.deploy.owning import HandOver
from edgekit.deploy.placing import Configure, Place, Switch
from edgekit.deploy.runner import recover, run
from edgekit.deploy.starting import Start, Stop
from edgekit.deploy.states import SHORT, forget_bad, read_trial, require_not_bad
from edgekit.deploy.steps import UNIT, Hands, Step
from edgekit.deploy.trying import CHECK, COMPILE, PROFILE, Examine, Preflight, Stage, Verify
from edgekit.errors import InputError


def install(order: Order, hands: Hands) -> Operation | None:
    """Do every step up to the trial, and return them; None where just this release runs already, and all is as it
    should be. Where it is installed and something else is not, that is mended (:mod:`edgekit.deploy.mending`).

    An interrupted operation is brought to its end first. Whatever fails, what ran before runs again, and the error goes
    on: :class:`~edgekit.errors.GateRefused` of the golden check, of the budget and of a release that failed before.
    """
    journal = Journal(hands.layout.state)
    make_folder(hands.layout.state)
    with alone(hands.layout.state):
        recover(journal, hands, gives_up=True)
        running = hands.layout.running() or ""
        if running == order.release:
            mending = planned(order, hands)
            return run(journal, MEND, {"release": order.release}, mending, hands) if mending else None
        _require_no_trial(hands)
        if not order.retried:
            require_not_bad(hands.layout, order.release)
        about = {"release": order.release, "previous": running, "bundle": str(order.bundle), "forced": order.forced}
        operation = run(journal, INSTALL, about, list(steps(order, running)), hands)
        forget_bad(hands.layout, order.release)
        return operation


def planned(order: Order, hands: Hands) -> list[Step]:
    """Return the steps that :func:`install` would do; nothing is changed."""
    running = hands.layout.running() or ""
    if running == order.release:
        return mending_steps(order, hands, on_trial=read_trial(hands.layout) is not None)
    return list(steps(order, running))


def steps(order: Order, running: str) -> Iterator[Step]:
    """Yield the steps from the release ``running`` ("" for none) to the trial of the one that is ordered."""
    bundle, release = str(order.bundle), order.release
    tries = [Examine(phase, release, order.forced) for phase in (COMPILE, CHECK, PROFILE)]
    if not order.image:
        yield Preflight(bundle, order.wheels)
    yield Verify(bundle)
    yield Stage(bundle, order.wheels, release)
    yield KeepApart(release, order.digest)
    if not order.stops_first and not order.image:
        yield from tries
    for path, text in order.configuration.items():
        yield Configure(path, text)
    yield Place(order.watching, order.enabled, order.users)
    for path, user in order.owned.items():
        yield HandOver(path, user)
    if order.image:
        yield from (Place(order.unit, (UNIT,)), Switch(release), Commit(release, running))
        return
    yield from (BeginTrial(release, running), Stop())
    if order.stops_first:
        yield from tries
    yield from (Place(order.unit, (UNIT,)), Switch(release), Start())


def notes_of(operation: Operation | None) -> tuple[str, ...]:
    """Return what steps have to tell whoever installs, a sentence each."""
    results = operation.results.values() if operation else ()
    return tuple(str(result["note"]) for result in results if isinstance(result, dict) and "note" in result)


def downtime_s(operation: Operation) -> float | None:
    """Return how many seconds an operation left nobody answered; None where it stopped nothing that ran, or where the
    machine was started anew in between.
    """
    names = [str(step["step"]) for step in operation.steps]
    if "Stop" not in names or not operation.begun.get(stop := names.index("Stop")):
        return None
    start = next((number for number, name in enumerate(names) if name in ("Start", "Revive")), stop)
    end = operation.undone_ms.get(stop) or operation.done_ms.get(start)
    return None if end is None or end < operation.begun_ms[stop] else (end - operation.begun_ms[stop]) / 1000


def _require_no_trial(hands: Hands) -> None:
    trial = read_trial(hands.layout)
    if trial is not None:
        raise InputError(
            f"The release {trial.release[:SHORT]} is on trial, and another one can't be at once",
            "End its trial first: `edgekit commit`, or `edgekit rollback`.",
        )
