"""`edgekit status`: 0 where it answers or nothing is installed, 1 where it does not."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.deploying import OLD, Site


def test_its_exit_code_says_whether_it_answers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("status")["release"] == ""
    site.install(OLD)
    assert run("status")["state"] == "trial"
    monkeypatch.setattr("edgekit.deploy.health.unhealthy", lambda hands: "it is silent")
    assert run("status", codes=(1,))["why"] == "it is silent"
    assert main(["status"]) == 1
