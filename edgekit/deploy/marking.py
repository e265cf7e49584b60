"""Steps that note how a release stands, and one that clears away what nothing needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from edgekit import config
from edgekit.config.state import flush_folder
from edgekit.deploy import states
from edgekit.deploy.added import forget_added
from edgekit.deploy.layout import Layout
from edgekit.deploy.states import SHORT, Committed, Trial
from edgekit.deploy.steps import COMMIT_TIMER, Hands, Step
from edgekit.errors import EdgeKitError
from edgekit.files import writing
from edgekit.machine.moment import now


@dataclass(frozen=True)
class Watch(Step):
    """Have the timer look every minute, so that what comes next is brought to an end whatever interrupts it."""

    title: ClassVar[str] = "Watch over it"
    keeps_watch: ClassVar[bool] = True

    def show(self, hands: Hands) -> str:
        return f"systemctl start {COMMIT_TIMER}"

    def do(self, hands: Hands) -> Any:
        hands.services.start(COMMIT_TIMER)

    def undo(self, hands: Hands, before: Any) -> None:
        hands.services.stop(COMMIT_TIMER)


@dataclass(frozen=True)
class BeginTrial(Step):
    """Note that a release is on trial, before anything that runs is touched: whoever looks from now on knows what to go
    back to."""

    release: str
    previous: str
    title: ClassVar[str] = "Note the trial"
    keeps_watch: ClassVar[bool] = True

    def show(self, hands: Hands) -> str:
        back = f"to go back to {self.previous[:SHORT]}" if self.previous else "nothing to go back to"
        return f"write {hands.layout.state / states.TRIAL}: {self.release[:SHORT]}, {back}"

    def before(self, hands: Hands) -> Any:
        return states.rescue(hands.layout)

    def do(self, hands: Hands) -> Any:
        moment = now()
        states.set_rescue(hands.layout, self.previous or self.release)
        trial = Trial(release=self.release, previous=self.previous, boot=moment.boot, began=moment.time)
        states.write_trial(hands.layout, trial)
        hands.services.start(COMMIT_TIMER)

    def undo(self, hands: Hands, before: Any) -> None:
        states.end_trial(hands.layout)
        hands.services.stop(COMMIT_TIMER)
        states.set_rescue(hands.layout, before)


@dataclass(frozen=True)
class Commit(Step):
    """Note that a release has proved itself: nothing goes back from it by itself any more. It only leads forward."""

    release: str
    previous: str
    forced: tuple[str, ...] = ()
    title: ClassVar[str] = "Commit"
    is_point_of_return: ClassVar[bool] = True

    def show(self, hands: Hands) -> str:
        return f"write {hands.layout.state / states.COMMITTED}: {self.release[:SHORT]}"

    def before(self, hands: Hands) -> Any:
        stands = states.standing(hands.layout)  # another version's notes may not be readable
        committed, trial = stands.committed, stands.trial
        return {
            "committed": committed and config.dump(committed),
            "trial": trial and config.dump(trial),
            "rescue": states.rescue(hands.layout),
        }

    def do(self, hands: Hands) -> Any:
        done = Committed(release=self.release, previous=self.previous, at=now().time, forced=self.forced)
        states.write_committed(hands.layout, done)
        states.set_rescue(hands.layout, self.release)
        states.end_trial(hands.layout)
        hands.services.stop(COMMIT_TIMER)

    def undo(self, hands: Hands, before: Any) -> None:
        layout = hands.layout
        if before["trial"]:
            states.write_trial(layout, config.load(Trial, before["trial"], "the journal"))
            hands.services.start(COMMIT_TIMER)
        states.set_rescue(layout, before["rescue"])
        if before["committed"]:
            states.write_committed(layout, config.load(Committed, before["committed"], "the journal"))
        else:
            states.unpoint(layout.state / states.COMMITTED)


@dataclass(frozen=True)
class Prune(Step):
    """Remove the releases that nothing needs: all but the one that runs, the one before, and those of a trial; and what
    was compiled for their bundles alone. What can't be removed takes room and does no other harm: it is told, and stays
    until the next one."""

    title: ClassVar[str] = "Remove old releases"

    def show(self, hands: Hands) -> str:
        names = [identity[:SHORT] for identity in hands.layout.identities() if identity not in needed(hands.layout)]
        return f"rm -r {hands.layout.releases}/{{{','.join(names)}}}" if names else "there are none"

    def do(self, hands: Hands) -> Any:
        return {"left": [*prune(hands.layout), *_refused(partial(forget_added, hands.layout))]}


def needed(layout: Layout) -> set[str]:
    """Return the IDs of the releases that something may still go on with, or go back to."""
    trial, committed = states.read_trial(layout), states.read_committed(layout)
    names = {layout.running() or "", states.rescue(layout)}
    if trial is not None:
        names |= {trial.release, trial.previous}
    if committed is not None:
        names |= {committed.release, committed.previous}
    return names - {""}


def prune(layout: Layout) -> Iterator[str]:
    """Remove every release that is not needed, and what was begun to be written or removed; yield why something of that
    stays."""
    try:
        keep = needed(layout)
        stale = [identity for identity in layout.identities() if identity not in keep]
        leftovers = [path.name for path in layout.releases.glob(".*.partial")]
    except (EdgeKitError, OSError) as error:
        yield str(error)
        return
    for identity in stale:
        yield from _refused(partial(discard, layout, identity))
    for name in leftovers:
        yield from _refused(partial(_remove, layout, name))


def discard(layout: Layout, identity: str) -> None:
    """Remove a release, whole or half written; it has no release's name while it is no whole one."""
    with writing(layout.release(identity)):
        if layout.release(identity).is_dir():
            _remove(layout, layout.partial(identity).name)
            layout.release(identity).rename(layout.partial(identity))
            flush_folder(layout.releases)
    _remove(layout, layout.partial(identity).name)


def _refused(remove: Callable[[], None]) -> Iterator[str]:
    """Remove something; yield why that can't be done."""
    try:
        remove()
    except (EdgeKitError, OSError) as error:
        yield str(error)


def _remove(layout: Layout, name: str) -> None:
    path = layout.releases / name
    try:
        if path.is_dir():
            shutil.rmtree(path)
    except OSError as error:
        message = f"{path} can't be removed: {error.strerror}"
        raise EdgeKitError(message, "Check its permissions and its disk, then remove it.") from None
