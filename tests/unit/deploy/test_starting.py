"""Stopping and starting, and back: what ran runs again, and what didn't stays as it was."""

from __future__ import annotations

import pytest

from edgekit.deploy.placing import Switch
from edgekit.deploy.starting import Revive, Start, Stop
from edgekit.deploy.steps import UNIT
from edgekit.errors import EdgeKitError
from tests.deploying import NEW, OLD, Site


def test_what_ran_runs_again(site: Site) -> None:
    site.installed(OLD)
    before = Stop().before(site.hands)
    Stop().do(site.hands)
    assert site.services.running == ""
    Stop().undo(site.hands, before)
    assert site.services.running == OLD


def test_what_did_not_run_is_not_started(site: Site) -> None:
    site.installed(OLD)
    site.services.stop(UNIT)
    before = Stop().before(site.hands)
    Stop().do(site.hands)
    Stop().undo(site.hands, before)
    assert site.services.running == ""


def test_one_that_somebody_started_meanwhile_gives_way(site: Site) -> None:
    site.installed(OLD)
    site.layout.release(NEW).mkdir()
    Stop().do(site.hands)
    site.services.start(UNIT)
    Switch(NEW).do(site.hands)
    Start().do(site.hands)
    assert site.services.running == NEW


def test_a_start_that_failed_is_forgotten_before_the_next_one(site: Site) -> None:
    site.installed(OLD)
    site.services.fail()
    Start().do(site.hands)
    assert site.services.running == OLD
    Start().undo(site.hands, None)
    assert site.services.running == ""
    (site.layout.release(OLD) / "broken").touch()
    with pytest.raises(EdgeKitError, match="did not start"):
        Start().do(site.hands)


def test_what_is_revived_is_started_and_never_blamed(site: Site) -> None:
    site.installed(OLD).services.fail()
    assert not Revive().blames
    Revive().do(site.hands)
    assert site.services.state(UNIT).ready
    Revive().undo(site.hands, None)
    assert site.services.running == OLD
