"""Going back where the journal or the trial's file can't be read: by what is left of them, to the release before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgekit.deploy.leaving import leave, return_to
from edgekit.deploy.rollback import ASKED, CRASHED, end_failed, roll_back
from edgekit.deploy.states import Trial, rescue, write_trial
from edgekit.deploy.steps import COMMIT_TIMER
from edgekit.deploy.trial import UNHEALTHY, UNREADABLE, end_at_boot
from edgekit.errors import ConfigError
from tests.deploying import NEW, OLD, Site


@pytest.fixture
def trying(site: Site) -> Site:
    """A machine on which a second release is on trial."""
    site.installed(OLD).install(NEW)
    return site


def lose_the_journal(site: Site) -> None:
    site.journal.path.write_text('{"operation": "of another form"}\n', encoding="utf-8")


def spoil_the_trial(site: Site) -> None:
    (site.layout.state / "trial").write_text('{"candidate": {}}', encoding="utf-8")


def spoil_both(site: Site) -> None:
    lose_the_journal(site)
    spoil_the_trial(site)


def crash(site: Site) -> None:
    site.services.fail()
    assert end_failed(site.hands) is not None


def ask(site: Site) -> None:
    roll_back(site.hands)


def start_the_machine(site: Site) -> None:
    trial = site.standing.trial
    if trial is not None:
        write_trial(site.layout, replace(trial, boot="another"))
    site.services.boot()
    assert end_at_boot(site.hands) is not None


def be_silent(site: Site) -> None:
    assert "rolled back" in [site.watch("it is silent").outcome for _ in range(UNHEALTHY)]


@pytest.mark.parametrize("spoil", [lose_the_journal, spoil_the_trial, spoil_both])
@pytest.mark.parametrize("end", [crash, ask, start_the_machine, be_silent])
def test_the_release_before_runs(trying: Site, spoil: Callable[[Site], None], end: Callable[[Site], None]) -> None:
    spoil(trying)
    end(trying)
    assert trying.services.running == trying.layout.running() == OLD
    assert (trying.standing.trial, trying.standing.problems, rescue(trying.layout)) == (None, (), OLD)
    assert trying.standing.committed is not None
    assert trying.standing.committed.release == OLD
    assert (NEW in trying.standing.bad) == (end is crash or (end, spoil) == (be_silent, lose_the_journal)), (
        "a trial of no known start of the machine ends at the next look, and nobody is blamed"
    )
    told = [reason for one in trying.journal.operations() for reason in (one.reason, one.about.get("reason"))]
    assert (UNREADABLE in told) == (end is be_silent and spoil is not lose_the_journal), (
        "that the machine was started anew is said where it was"
    )
    assert trying.watch().outcome == "nothing to watch"
    assert not trying.services.state(COMMIT_TIMER).runs


def test_where_nothing_tells_what_was_before_that_is_said(trying: Site) -> None:
    trial = Trial(release="9" * 64, previous="8" * 64)
    with pytest.raises(ConfigError, match="doesn't tell how the trial of 999999999999 was begun") as error:
        leave(trying.journal, trial, trying.hands, CRASHED, is_bad=True)
    assert "edgekit commit" in error.value.hint
    assert trying.services.running == NEW


def test_a_return_is_journalled_with_its_reason(trying: Site) -> None:
    operation = return_to(trying.journal, OLD, trying.hands, NEW, ASKED)
    assert (operation.reason, operation.about) == (ASKED, {"release": OLD, "from": NEW, "reason": ASKED})
    assert trying.journal.operations()[-1].result == "done"
