"""``edgekit targets``: all of them, one, or the one that this machine is like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.config.shipped import shipped
from edgekit.machine import detect
from tests.rendered import rows
from tests.unit.cli.show.test_targets import ORIN

Capture = pytest.CaptureFixture[str]


def test_targets_are_listed_and_shown(capsys: Capture) -> None:
    assert main(["targets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["targets"]
    assert {entry["name"] for entry in listed} == set(shipped("targets"))
    assert main(["targets", "orin", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == next(entry for entry in listed if entry["name"] == "orin")

    assert main(["targets"]) == 0
    out = capsys.readouterr().out
    assert all(entry["title"] in out for entry in listed)
    assert main(["targets", "rtx3050"]) == 0
    out = capsys.readouterr().out
    assert "168 GB/s" in out
    assert "4.81 GiB" in out


def test_a_target_that_there_is_not(capsys: Capture) -> None:
    assert main(["targets", "orni"]) == 1
    assert "Did you mean 'orin'?" in capsys.readouterr().err


def test_targets_tell_what_this_machine_is(capsys: Capture) -> None:
    assert main(["targets", "--detect", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["target"] in shipped("targets")
    assert document["machine"]["cores"] == detect.detect().cores
    assert main(["targets", "--detect"]) == 0
    assert document["machine"]["cpu"] in capsys.readouterr().out


def test_targets_tell_a_simulated_orin(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("edgekit.machine.look", lambda: ORIN)
    assert main(["targets", "--detect"]) == 0
    out = capsys.readouterr().out
    assert "L4T 36.4.3" in out
    assert "orin (Jetson AGX Orin, 64 GB)" in out


def test_a_name_and_a_question_are_not_both(capsys: Capture) -> None:
    assert main(["targets", "cpu", "--detect"]) == 2
    assert "not both" in capsys.readouterr().err


def test_a_site_s_budget_is_laid_over_the_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "budgets").mkdir()
    file = tmp_path / "budgets" / "cpu.toml"
    file.write_text('static = "3 GiB"\n')
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert main(["targets", "cpu"]) == 0
    out = capsys.readouterr().out
    assert ["static budget", "3.00 GiB"] in rows(out)
    assert f"{file} is laid over the budget that ships." in out
    assert main(["targets", "orin"]) == 0
    assert "laid over" not in capsys.readouterr().out
