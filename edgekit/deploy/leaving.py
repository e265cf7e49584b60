"""Leaving a release for the one before it: by undoing the install that began its trial, or, where the journal does not
tell that (a newer version wrote it, or it is lost), by what the trial itself says, which is all that going back needs.
"""

from __future__ import annotations

from contextlib import suppress

from edgekit.deploy.journal import INSTALL, Journal, Operation
from edgekit.deploy.marking import Commit, Watch
from edgekit.deploy.placing import Switch
from edgekit.deploy.runner import run, take_back
from edgekit.deploy.starting import Start, Stop
from edgekit.deploy.states import SHORT, Trial, remember_bad
from edgekit.deploy.steps import Hands
from edgekit.errors import ConfigError, EdgeKitError


def leave(journal: Journal, trial: Trial, hands: Hands, reason: str, *, is_bad: bool) -> Operation:
    """Go back from a trial, and return what did so; with ``is_bad`` its release is remembered as bad. One that goes
    back already keeps its reason.

    :class:`ConfigError` where neither the journal nor the trial tells what to go back to. Errors as of starting the
    service.
    """
    operation = journal.last(INSTALL)
    if operation is not None and operation.about.get("release") == trial.release:
        take_back(journal, operation, hands, operation.reason or reason, is_bad=is_bad or operation.is_bad)
        return operation
    if trial.previous not in hands.layout.identities():
        message = f"{journal.path} doesn't tell how the trial of {trial.release[:SHORT]} was begun"
        raise ConfigError(message, "Commit it with `edgekit commit`, or remove all with `edgekit uninstall`.")
    if is_bad and trial.release:
        with suppress(EdgeKitError):
            remember_bad(hands.layout, trial.release)
    return return_to(journal, trial.previous, hands, trial.release, reason)


def return_to(journal: Journal, release: str, hands: Hands, left: str, reason: str) -> Operation:
    """Let ``release`` run again, and be what is committed; where it does not start, the one that is ``left`` runs."""
    steps = [Watch(), Stop(), Switch(release), Start(), Commit(release, "")]
    about = {"release": release, "from": left, "reason": reason}
    operation = run(journal, "rollback", about, steps, hands)
    operation.reason = reason
    return operation
