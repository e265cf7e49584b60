"""How an installation fares, for people: what runs, against which budget, and why the last one went back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.status import show_status
from edgekit.console import Console
from edgekit.deploy.status import status
from edgekit.errors import GateRefused
from tests.deploying import NEW, OLD, Site

Capture = pytest.CaptureFixture[str]


def test_a_trial_that_went_back_is_told_with_its_reason(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path)
    site.installed(OLD).install(NEW)
    site.services.fail()
    for _ in range(5):
        site.watch("it is silent")
    told = status(site.hands, lambda hands: "")
    budget = {"static_bytes": 1 << 30, "dynamic_bytes": 2 << 30, "budget": [{"passed": True}]}
    show_status(Console(), replace(told, measured=budget))
    out = capsys.readouterr().out
    fields = " ".join(out.split())  # the longest name decides how wide they are
    assert "release 111111111111, committed" in fields
    assert "service active, it answers" in fields
    assert "1.00 GiB static, 2.00 GiB dynamic: within the budget" in out
    assert "install of 222222222222, trial." in out
    assert "Why: it did not answer for 5 minutes: it is silent" in out
    assert "remembered as bad" in out


def test_what_is_wrong_is_loud(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path)
    show_status(Console(), status(site.hands, lambda hands: "never"))
    assert capsys.readouterr().out == "Nothing is installed.\n"
    site.refusing["check"] = GateRefused("the answers differ")
    site.install(NEW, forced=True)
    show_status(Console(), status(site.hands, lambda hands: "it is silent"))
    captured = capsys.readouterr()
    assert "FORCED: the answers differ" in captured.err
    assert "active: it is silent" in captured.out
    assert "  it says nothing" in captured.out
    assert "0 healthy minutes" in captured.out
