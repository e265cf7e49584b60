"""`edgekit rollback`: by somebody who asks, and by systemd, which asks more narrowly."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.deploying import NEW, OLD, Site


def test_back_to_the_release_before(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.installed(OLD).install(NEW)
    document = run("rollback")
    assert (document["release"], document["changed"], document["reason"]) == (OLD, True, "somebody asked for it")
    assert main(["rollback"]) == 1
    assert "nothing to go back to" in capsys.readouterr().err


def test_systemd_goes_back_only_from_what_failed(site: Site) -> None:
    site.installed(OLD).install(NEW)
    assert run("rollback", "--failed")["changed"] is False
    assert run("rollback", "--boot")["changed"] is False
    site.services.fail()
    assert run("rollback", "--failed")["release"] == OLD
    assert site.services.running == OLD


def test_from_a_first_trial_there_is_nothing_left(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install(NEW)
    assert main(["rollback"]) == 0
    assert "nothing is installed now" in capsys.readouterr().out
    assert main(["rollback", "--failed", "--boot"]) == 2
