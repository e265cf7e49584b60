"""The release that is installed, installed again: what else is not as it should be is mended, and nothing tried."""

from __future__ import annotations

import pytest

from edgekit.deploy.install import downtime_s, planned
from edgekit.deploy.mending import MEND
from edgekit.deploy.rollback import roll_back
from edgekit.deploy.status import status
from edgekit.deploy.steps import COMMIT_TIMER, UNIT
from edgekit.deploy.trial import UNHEALTHY
from edgekit.errors import EdgeKitError
from tests.deploying import NEW, OLD, Site

OTHER = {"/etc/systemd/system/edgekit.service": "unit of another driver\n"}


@pytest.fixture
def installed(site: Site) -> Site:
    """A machine with a committed release, whose calls are told from now on."""
    site.installed(OLD).services.told.clear()
    site.examined.clear()
    return site


def names(site: Site, **words: object) -> list[str]:
    return [type(step).__name__ for step in planned(site.order(OLD, **words), site.hands)]


def test_where_all_is_as_it_should_be_nothing_is_done(installed: Site) -> None:
    assert names(installed) == []
    installed.install(OLD)
    assert (installed.services.told, len(installed.journal.operations())) == ([], 2)


def test_a_service_that_failed_is_started(installed: Site) -> None:
    installed.services.fail()
    installed.install(OLD)
    assert (installed.services.running, installed.services.state(UNIT).active) == (OLD, "active")
    assert (installed.standing.state, installed.examined) == ("committed", [])
    assert "reload" not in installed.services.told
    assert installed.services.state(COMMIT_TIMER).runs
    assert installed.watch().outcome == "nothing to watch"
    assert not installed.services.state(COMMIT_TIMER).runs


@pytest.mark.parametrize("is_stopped", [False, True])
def test_engines_that_a_service_lacks_are_compiled_before_it_starts(installed: Site, is_stopped: bool) -> None:
    """One that failed, or that somebody stopped for that, as the nightly check has it."""
    assert names(installed, stops_first=True) == []
    if is_stopped:
        installed.services.stop(UNIT)
    else:
        installed.services.fail()
    steps = names(installed, stops_first=True)
    assert steps[-4:] == ["Stop", "Examine", "Place", "Revive"]
    installed.install(OLD, stops_first=True)
    assert ([phase for phase, _ in installed.examined], installed.services.running) == (["compile"], OLD)


def test_another_unit_is_written_and_the_service_started_anew_with_it(installed: Site) -> None:
    installed.install(OLD, unit=OTHER)
    assert installed.layout.unit.read_text() == "unit of another driver\n"
    told = [word for word in installed.services.told if word in ("reload", f"stop {UNIT}", f"start {UNIT}")]
    assert told == [f"stop {UNIT}", "reload", f"stop {UNIT}", f"start {UNIT}"], "a restart is both"
    operation = installed.journal.operations()[-1]
    assert (operation.name, operation.result) == (MEND, "done")
    assert downtime_s(operation) is not None
    assert names(installed, unit=OTHER) == []


@pytest.mark.parametrize("way", ["by itself", "as asked"])
def test_a_trial_ends_whose_service_did_not_start_again_with_another_unit(installed: Site, way: str) -> None:
    installed.install(NEW)
    (installed.layout.release(NEW) / "broken").touch()
    with pytest.raises(EdgeKitError, match="did not start"):
        installed.install(NEW, unit=OTHER)
    if way == "as asked":
        roll_back(installed.hands)
    else:
        outcomes = [installed.watch("it does not answer").outcome for _ in range(UNHEALTHY)]
        assert outcomes[-1] == "rolled back"
    assert installed.services.running == installed.layout.running() == OLD
    assert installed.journal.unfinished() is None


def test_a_configuration_that_is_gone_is_made_and_nobody_is_interrupted(installed: Site) -> None:
    installed.layout.environment.unlink()
    installed.install(OLD)
    assert installed.layout.environment.exists()
    assert f"stop {UNIT}" not in installed.services.told


def test_in_an_image_the_unit_is_written_alone(site: Site) -> None:
    site.install(OLD, image=True)
    assert names(site, image=True) == []
    assert names(site, image=True, unit=OTHER) == ["Configure", "Place", "HandOver", "Place"]
    site.install(OLD, image=True, unit=OTHER)
    assert site.layout.unit.read_text() == "unit of another driver\n"


def test_a_trial_goes_on(site: Site) -> None:
    site.install(OLD)
    assert "Watch" not in names(site, unit=OTHER), "undoing that would end it"
    site.install(OLD, unit=OTHER)
    assert site.standing.state == "trial"
    assert site.services.state(COMMIT_TIMER).runs
    assert site.watch().outcome == "healthy"


def test_what_does_not_start_leaves_the_unit_before_and_is_not_called_bad(installed: Site) -> None:
    (installed.layout.release(OLD) / "broken").touch()
    with pytest.raises(EdgeKitError, match="did not start"):
        installed.install(OLD, unit=OTHER)
    assert installed.layout.unit.read_text() == "unit\n"
    assert (installed.standing.bad, installed.standing.running) == ((), OLD)
    assert f"start {UNIT}" in installed.services.told[-4:], "what ran is started again"
    (installed.layout.release(OLD) / "broken").unlink()
    installed.watch()
    told = status(installed.hands, lambda hands: "")
    assert (installed.journal.operations()[-1].result, told.rolled_back) == ("undone", None), "no release went back"
