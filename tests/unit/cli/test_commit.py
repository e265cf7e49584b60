"""`edgekit commit`: by somebody who asks, and by the timer that looks."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.deploying import OLD, Site


def test_a_trial_is_committed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install(OLD)
    assert main(["commit"]) == 0
    assert "Release 111111111111 is committed" in capsys.readouterr().out
    assert main(["commit"]) == 1
    assert "is committed already" in capsys.readouterr().err


def test_the_timer_counts(site: Site) -> None:
    site.install(OLD)
    assert run("commit", "--if-healthy") == {"outcome": "healthy", "why": ""}
    assert run("commit") == {"release": OLD, "state": "committed"}
    assert run("commit", "--if-healthy") == {"outcome": "nothing to watch", "why": ""}
