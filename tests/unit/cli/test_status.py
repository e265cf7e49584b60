"""`edgekit status`: 0 where it answers or nothing is installed, 1 where it does not."""

from __future__ import annotations

import pytest

from edgekit.check.nightly import Finding
from edgekit.cli.main import main
from edgekit.deploy.nightly import Means
from tests.commands import run
from tests.deploying import OLD, Site


def test_its_exit_code_says_whether_it_answers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("status")["release"] == ""
    site.install(OLD)
    assert run("status")["state"] == "trial"
    monkeypatch.setattr("edgekit.deploy.health.unhealthy", lambda hands: "it is silent")
    assert run("status", codes=(1,))["why"] == "it is silent"
    assert main(["status"]) == 1


def test_a_check_that_fails_is_loud_until_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: list[Finding] = []
    means = Means(
        look=lambda release: tuple(found),
        replaced=lambda pid: (),
        lacking=lambda bundle: "",
        forbidden=lambda: "",
        hurried=lambda hands, seconds: hands,
    )
    monkeypatch.setattr("edgekit.deploy.nightly_here.means_here", lambda layout, progress: means)
    assert run("status", "--check") == {"release": ""}
    site.installed(OLD)
    assert main(["status"]) == 0
    assert "not yet" in capsys.readouterr().out
    found.append(Finding("libcuda was replaced", "sudo reboot"))
    assert run("status", "--check", codes=(3,))["files"]["outcome"] == "failed"
    assert main(["status"]) == 0
    said = capsys.readouterr()
    assert "FAILED at" in said.out
    assert "NIGHTLY CHECK FAILED: libcuda was replaced" in said.err
    assert "sudo reboot" in said.err
    found.clear()
    assert run("status", "--check")["files"]["outcome"] == "passed"
    assert main(["status"]) == 0
    assert "NIGHTLY" not in capsys.readouterr().err
