"""`edgekit install`: to the trial, shown before it is done, and what a gate says."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from edgekit.deploy.states import remember_bad
from edgekit.errors import GateRefused
from tests.commands import run
from tests.deploying import NEW, OLD, Site

Capture = pytest.CaptureFixture[str]


def test_a_release_is_installed_and_the_way_to_it_told(site: Site, capsys: Capture) -> None:
    assert main(["install", "1"]) == 0
    out = capsys.readouterr().out
    assert "Release 111111111111 answers, on trial." in out
    assert "http://127.0.0.1:8080/" in out
    assert "edgekit user add" in out
    assert site.services.running == OLD
    assert run("install", "1") == {
        "release": OLD,
        "state": "trial",
        "url": "http://127.0.0.1:8080/",
        "fingerprint": "",
        "downtime_s": None,
        "forced": [],
        "changed": False,
    }


def test_downtime_is_said_before_and_after(site: Site, capsys: Capture) -> None:
    site.installed(OLD)
    assert main(["install", "2"]) == 0
    captured = capsys.readouterr()
    assert "Nobody is answered from the switch until" in captured.err
    assert "Nobody was answered for" in captured.out


def test_a_dry_run_shows_every_step_and_does_none(site: Site, capsys: Capture) -> None:
    assert main(["install", "1", "--dry-run"]) == 0
    assert "systemctl restart edgekit.service" in capsys.readouterr().out
    document = run("install", "1", "--dry-run")
    assert document["release"] == OLD
    assert len(document["steps"]) == 15
    assert not list(site.folder.iterdir())


def test_a_gate_ends_with_3_and_forced_is_loud(site: Site, capsys: Capture) -> None:
    site.installed(OLD)
    site.refusing["profile"] = GateRefused("2 GiB over budget", "choose q4")
    assert main(["install", "2"]) == 3
    assert "Error: 2 GiB over budget\nchoose q4" in capsys.readouterr().err
    assert site.services.running == OLD
    assert main(["install", "2", "--force"]) == 0
    assert "FORCED: 2 GiB over budget" in capsys.readouterr().err
    assert site.services.running == NEW


def test_what_failed_before_is_tried_again_by_a_word_of_its_own(site: Site, capsys: Capture) -> None:
    site.installed(OLD)
    remember_bad(site.layout, NEW)
    assert main(["install", "2", "--force"]) == 3
    assert "--retry" in capsys.readouterr().err
    assert main(["install", "2", "--retry"]) == 0
    assert (site.services.running, site.standing.bad) == (NEW, ())


def test_what_a_step_has_to_tell_is_told(site: Site, capsys: Capture) -> None:
    site.results["compile"] = {"note": "It took long."}
    assert main(["install", "1"]) == 0
    assert "It took long." in capsys.readouterr().err


def test_a_prefix_that_can_be_none_is_refused(capsys: Capture) -> None:
    assert main(["install", "1", "--prefix", "opt"]) == 1
    assert "can't be the folder of an installation" in capsys.readouterr().err


def test_what_is_left_for_the_device_is_said_in_a_line(
    site: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = site.order(NEW, image=True, left_open=("its GPU's device files", "how much memory it has"))
    monkeypatch.setattr("edgekit.deploy.here.order_here", lambda *words, **more: order)
    assert main(["install", "2", "--dry-run"]) == 0
    said = (
        "Left for the device: its GPU's device files and how much memory it has. `edgekit install` of the same bundle"
    )
    assert said in " ".join(capsys.readouterr().err.split())
