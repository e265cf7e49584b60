"""Who ends a trial: enough healthy minutes, too many others, somebody who asks, and a start of the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.deploy.health import OfTheMachine
from edgekit.deploy.here import at_boot
from edgekit.deploy.journal import alone
from edgekit.deploy.marking import Commit
from edgekit.deploy.placing import Switch
from edgekit.deploy.rollback import end_failed, roll_back
from edgekit.deploy.states import Committed, read_trial, rescue, write_committed, write_trial
from edgekit.deploy.steps import UNIT, document
from edgekit.deploy.trial import AGAIN, CRASHES, HEALTHY, REBOOTED, UNHEALTHY, Look, commit, end_at_boot
from edgekit.errors import ConfigError, EdgeKitError, InputError
from tests.deploying import NEW, OLD, THIRD, Site


@pytest.fixture
def trying(site: Site) -> Site:
    """A machine on which a second release is on trial."""
    site.installed(OLD).install(NEW)
    return site


def from_another_boot(site: Site) -> None:
    trial = read_trial(site.layout)
    assert trial is not None
    write_trial(site.layout, replace(trial, boot="another"))


def test_enough_healthy_minutes_commit(trying: Site) -> None:
    assert rescue(trying.layout) == OLD, "whose code ends the trial is not the one on trial"
    assert [trying.watch() for _ in range(HEALTHY - 1)] == [Look("healthy")] * (HEALTHY - 1)
    assert trying.watch() == Look("committed")
    committed = trying.standing.committed
    assert committed is not None
    assert (committed.release, committed.previous) == (NEW, OLD)
    assert rescue(trying.layout) == NEW
    assert not trying.services.state("edgekit-commit.timer").runs
    assert trying.watch() == Look("nothing to watch")


def test_minutes_count_in_a_row_alone(trying: Site) -> None:
    for _ in range(3):
        assert trying.watch().outcome == "healthy"
        assert trying.watch("it is silent") == Look("unhealthy", "it is silent")
    trial = read_trial(trying.layout)
    assert trial is not None
    assert (trial.healthy, trial.unhealthy) == (0, 1)


def test_too_many_silent_minutes_go_back_and_the_reason_is_kept(trying: Site) -> None:
    for _ in range(UNHEALTHY - 1):
        trying.watch("it is silent")
    assert trying.watch("it is silent").outcome == "rolled back"
    assert trying.services.running == trying.layout.running() == OLD
    assert trying.standing.bad == (NEW,)
    assert trying.layout.identities() == (OLD,)
    operation = trying.journal.operations()[-1]
    assert (operation.result, operation.reason) == ("undone", "it did not answer for 5 minutes: it is silent")


def test_a_crash_has_the_healthy_minutes_begin_anew(trying: Site) -> None:
    for _ in range(HEALTHY - 1):
        trying.watch()
    trying.services.crash()
    assert trying.watch() == Look("unhealthy", AGAIN)
    assert [trying.watch() for _ in range(HEALTHY - 1)] == [Look("healthy")] * (HEALTHY - 1)
    assert trying.watch() == Look("committed")


@pytest.mark.parametrize("is_started", [False, True])
def test_too_many_crashes_go_back_however_far_apart(trying: Site, is_started: bool) -> None:
    for _ in range(CRASHES - 1):
        trying.services.crash()
        assert trying.watch() == Look("unhealthy", AGAIN)
        if is_started:  # somebody does, and systemd counts anew
            trying.services.restart(UNIT)
        assert {trying.watch() for _ in range(HEALTHY - 1)} == {Look("healthy")}
    trying.services.crash()
    assert trying.watch("it is silent") == Look("rolled back", "it crashed 3 times during the trial")
    assert (trying.services.running, trying.standing.bad) == (OLD, (NEW,))


def test_a_service_that_somebody_stopped_is_not_called_silent(trying: Site) -> None:
    trying.services.stop(UNIT)
    assert {trying.watch("systemd says inactive") for _ in range(UNHEALTHY)} == {Look("stopped")}
    trying.services.start(UNIT)
    assert trying.watch() == Look("healthy")
    assert trying.standing.bad == ()
    trying.services.fail()
    assert trying.watch("systemd says failed").outcome == "unhealthy"


def test_memory_that_another_program_holds_counts_neither_way_and_a_crash_all_the_same(trying: Site) -> None:
    short = OfTheMachine("it answers 503: this machine has 1 MiB left")
    trying.watch()
    assert {trying.watch(short) for _ in range(2 * UNHEALTHY)} == {Look("memory short", short)}
    trial = read_trial(trying.layout)
    assert trial is not None
    assert (trial.healthy, trial.unhealthy) == (1, 0)
    trying.services.crash()
    assert trying.watch(short) == Look("unhealthy", AGAIN)
    assert [trying.watch() for _ in range(HEALTHY)][-1] == Look("committed")
    assert trying.standing.bad == ()


def test_the_operator_commits_and_only_what_is_needed_stays(trying: Site) -> None:
    commit(trying.hands)
    assert trying.layout.identities() == (OLD, NEW), "the one before is kept"
    trying.installed(THIRD)
    assert trying.layout.identities() == (NEW, THIRD)
    with pytest.raises(InputError, match="333333333333 is committed already"):
        commit(trying.hands)


def test_without_a_trial_there_is_nothing_to_commit(site: Site, tmp_path: Path) -> None:
    site.services.file = tmp_path / "services"
    with pytest.raises(InputError, match="Nothing is installed"):
        commit(site.hands)
    assert site.watch() == Look("nothing to watch")
    with pytest.raises(InputError, match="nothing is installed"):
        roll_back(site.hands)
    assert end_failed(site.hands) is None
    assert end_at_boot(site.hands) is None
    assert not (site.folder / "opt").exists(), "nothing is made where nothing is installed"


def test_a_machine_that_was_started_anew_goes_back_before_the_service_starts(trying: Site) -> None:
    assert end_at_boot(trying.hands) is None, "the same start of the machine"
    from_another_boot(trying)
    (trying.layout.state / "services.json").unlink()
    operation = end_at_boot(trying.hands)
    assert operation is not None
    assert operation.reason == REBOOTED
    assert trying.layout.running() == OLD
    assert (trying.standing.trial, trying.standing.bad) == (None, ()), "it may be innocent"
    assert end_at_boot(trying.hands) is None


def test_the_next_look_goes_back_where_the_start_of_the_machine_did_not(trying: Site) -> None:
    from_another_boot(trying)
    trying.services.boot()
    assert trying.services.running == NEW
    assert trying.watch() == Look("rolled back", REBOOTED)
    assert trying.services.running == OLD


def test_a_way_back_that_fails_is_gone_on_with_by_the_next_looks_and_nothing_is_undone_twice(trying: Site) -> None:
    (trying.layout.release(OLD) / "broken").touch()
    with pytest.raises(EdgeKitError, match="did not start"):
        roll_back(trying.hands)
    assert trying.standing.trial is not None
    assert trying.services.state("edgekit-commit.timer").runs
    with pytest.raises(EdgeKitError, match="did not start"):
        trying.watch()
    assert end_failed(trying.hands) is None, "systemd starts that one whenever the service failed: it would go round"
    (trying.layout.release(OLD) / "broken").unlink()
    trying.services.told.clear()
    assert trying.watch() == Look("nothing to watch")
    assert trying.services.running == OLD
    assert trying.services.told[:3] == [f"stop {UNIT}", f"start {UNIT}", "stop edgekit-commit.timer"], (
        "a restart is both"
    )
    assert read_trial(trying.layout) is None
    assert trying.journal.operations()[-1].result == "undone"


def test_a_look_at_no_trial_is_the_last_one(trying: Site) -> None:
    from_another_boot(trying)
    end_at_boot(at_boot(trying.hands))
    assert trying.services.state("edgekit-commit.timer").runs, "while the machine starts, nothing is stopped"
    assert trying.watch() == Look("nothing to watch")
    assert not trying.services.state("edgekit-commit.timer").runs


def test_a_switch_that_was_stuck_on_the_way_back_has_the_service_started_anew(
    trying: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(self: Switch, hands: object, before: object) -> None:
        raise EdgeKitError("it is stuck", "")

    with monkeypatch.context() as patch, pytest.raises(EdgeKitError, match="it is stuck"):
        patch.setattr(Switch, "undo", stuck)
        roll_back(trying.hands)
    assert trying.services.running == NEW, "better than none"
    assert trying.watch() == Look("nothing to watch")
    assert trying.services.running == trying.layout.running() == OLD


def test_a_look_does_not_wait_for_a_command_that_works(trying: Site) -> None:
    with alone(trying.layout.state):
        assert trying.watch() == Look("busy")


@pytest.mark.parametrize("is_written", [False, True])
def test_a_commit_that_was_cut_is_none_once_the_machine_was_started_anew(trying: Site, is_written: bool) -> None:
    step, committed = Commit(NEW, OLD), trying.standing.committed
    operation = trying.journal.begin("commit", {"release": NEW}, [document(step)])
    trying.journal.intend(operation, 0, step.before(trying.hands))
    if is_written:
        write_committed(trying.layout, Committed(release=NEW, previous=OLD))
    from_another_boot(trying)
    assert end_at_boot(trying.hands) is not None
    assert trying.watch() == Look("nothing to watch")
    assert trying.layout.running() == rescue(trying.layout) == OLD
    assert trying.standing.committed == committed
    assert [one.result for one in trying.journal.operations()[-2:]] == ["undone", "undone"]


def test_what_is_not_installed_is_not_committed(trying: Site) -> None:
    Switch(OLD).do(trying.hands)
    with pytest.raises(ConfigError, match="222222222222 is on trial, but 111111111111 is installed"):
        commit(trying.hands)
    roll_back(trying.hands)
    assert (trying.standing.state, trying.services.running) == ("committed", OLD)


def test_a_trial_that_the_journal_lost_can_be_committed_by_hand(trying: Site) -> None:
    trying.journal.path.unlink()
    commit(trying.hands)
    assert trying.standing.state == "committed"
