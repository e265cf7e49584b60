"""`edgekit commit`: by somebody who asks, and by the timer that looks."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.deploying import NEW, OLD, Site


def test_a_trial_is_committed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install(OLD)
    assert main(["commit"]) == 0
    assert capsys.readouterr().out == "Release 111111111111 is committed.\n"
    assert main(["commit"]) == 1
    assert "is committed already" in capsys.readouterr().err


def test_the_release_before_is_kept(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.installed(OLD).install(NEW)
    assert main(["commit"]) == 0
    assert "The one before is kept, for `edgekit rollback`." in capsys.readouterr().out


def test_the_timer_counts(site: Site) -> None:
    site.install(OLD)
    assert run("commit", "--if-healthy") == {"outcome": "healthy", "why": ""}
    assert run("commit") == {"release": OLD, "state": "committed"}
    assert run("commit", "--if-healthy") == {"outcome": "nothing to watch", "why": ""}
