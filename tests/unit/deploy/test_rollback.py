"""Going back: as somebody asks, and as systemd does where the service failed for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.deploy.rollback import ASKED, CRASHED, end_failed, roll_back
from edgekit.deploy.states import read_trial, rescue
from edgekit.deploy.steps import COMMIT_TIMER, UNIT
from edgekit.deploy.trial import Look, commit
from edgekit.errors import EdgeKitError, InputError
from tests.deploying import NEW, OLD, Site


@pytest.fixture
def trying(site: Site) -> Site:
    """A machine on which a second release is on trial."""
    site.installed(OLD).install(NEW)
    return site


def test_a_trial_is_left_as_somebody_asks(trying: Site) -> None:
    operation = roll_back(trying.hands)
    assert (operation.result, operation.reason) == ("undone", ASKED)
    assert trying.services.running == trying.layout.running() == OLD
    assert (trying.standing.state, trying.standing.bad) == ("committed", ()), "it did not fail"
    assert trying.layout.identities() == (OLD,)
    assert rescue(trying.layout) == OLD


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_release_before_that_did_not_run_is_started_where_it_can_be(site: Site, is_broken: bool) -> None:
    site.installed(OLD).services.fail()
    site.install(NEW)
    if is_broken:
        (site.layout.release(OLD) / "broken").touch()
    operation = roll_back(site.hands)
    assert (operation.result, site.layout.running()) == ("undone", OLD)
    assert site.services.state(UNIT).active == ("failed" if is_broken else "active")
    assert site.standing.trial is None


def test_a_first_trial_is_left_for_nothing(site: Site) -> None:
    site.install(NEW)
    roll_back(site.hands)
    assert site.layout.running() is None
    assert site.services.running == ""
    assert rescue(site.layout) == ""


def test_a_crash_loop_goes_back_and_is_remembered(trying: Site) -> None:
    trying.services.fail()
    operation = end_failed(trying.hands)
    assert operation is not None
    assert operation.reason == CRASHED
    assert trying.services.running == OLD
    assert trying.standing.bad == (NEW,)
    assert end_failed(trying.hands) is None


@pytest.mark.parametrize("is_on_trial", [True, False])
def test_what_somebody_started_too_often_is_started_again_and_nothing_else_changes(
    trying: Site, is_on_trial: bool
) -> None:
    if not is_on_trial:
        commit(trying.hands)
    trial = read_trial(trying.layout)
    trying.services.fail("start-limit-hit", restarts=0)
    assert end_failed(trying.hands) is None
    assert trying.services.running == NEW
    assert trying.services.state(UNIT).active == "active"
    assert (read_trial(trying.layout), trying.standing.bad) == (trial, ())


def test_a_loop_of_crashes_that_hits_the_limit_goes_back(trying: Site) -> None:
    trying.services.fail("start-limit-hit", restarts=2)
    assert end_failed(trying.hands) is not None
    assert (trying.services.running, trying.standing.bad) == (OLD, (NEW,))


def test_a_service_that_runs_again_is_left_alone(trying: Site) -> None:
    assert end_failed(trying.hands) is None
    assert trying.services.running == NEW


def test_what_was_committed_and_fails_later_is_left_alone(trying: Site) -> None:
    roll_back(trying.hands)
    trying.services.fail()
    assert end_failed(trying.hands) is None
    assert trying.layout.running() == OLD


def test_what_was_committed_is_left_for_the_release_before(site: Site) -> None:
    site.installed(OLD).installed(NEW)
    operation = roll_back(site.hands)
    assert (operation.name, operation.result) == ("rollback", "done")
    assert site.services.running == site.layout.running() == OLD
    assert site.standing.state == "committed"
    with pytest.raises(InputError, match="nothing to go back to: 111111111111 is the only release"):
        roll_back(site.hands)


@pytest.mark.parametrize("cut", ["Switch to the release", "Start the service"])
def test_a_way_back_that_is_killed_is_brought_to_its_end_by_the_timer(
    site: Site, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(stage: str, done: int, total: int) -> None:
        if stage == cut:
            raise SystemExit

    site.installed(OLD).installed(NEW)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("edgekit.deploy.runner.take_back", lambda *words, **more: None)  # what is killed undoes nothing
        roll_back(replace(site.hands, progress=end))
    assert (site.services.running, site.standing.trial) == ("", None)
    assert site.services.state(COMMIT_TIMER).runs
    assert site.watch() == Look("nothing to watch")
    assert site.services.running == site.layout.running() == OLD
    assert site.standing.committed is not None
    assert site.standing.committed.release == OLD
    assert not site.services.state(COMMIT_TIMER).runs


def test_a_release_before_that_does_not_start_is_no_way_back(site: Site) -> None:
    site.installed(OLD).installed(NEW)
    (site.layout.release(OLD) / "broken").touch()
    with pytest.raises(EdgeKitError, match="did not start"):
        roll_back(site.hands)
    assert site.services.running == site.layout.running() == NEW
    assert site.standing.committed is not None
    assert site.standing.committed.release == NEW


def test_on_an_empty_machine_there_is_nothing_to_go_back_to(site: Site) -> None:
    with pytest.raises(InputError, match="nothing is installed"):
        roll_back(site.hands)


def test_an_interrupted_install_is_undone_by_going_back(site: Site) -> None:
    site.installed(OLD)

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "Switch to the release":
            raise SystemExit

    interrupted = replace(site.hands, progress=interrupt)
    site.hands, hands = interrupted, site.hands
    with pytest.raises(SystemExit):
        site.install(NEW)
    assert site.services.running == site.layout.running() == OLD, "an interruption undoes it at once"
    site.hands = hands
    with pytest.raises(InputError, match="nothing to go back to"):
        roll_back(site.hands)
