"""``edgekit profile``: its verdict by the site's budget, its document, and the bundle that it takes by itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.cli.main import main
from edgekit.phantom.embedded import embedded
from edgekit.profile import JudgedProfile, Profile
from edgekit.target import target, with_site_budget
from tests.specs import manifest_alone
from tests.unit.profile.made import profile
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]
BUDGET = "static = '{static}'\ntokens_per_s = 1\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site that limits no more than static memory."""
    (tmp_path / "site" / "budgets").mkdir(parents=True)
    file = tmp_path / "site" / "budgets" / "cpu.toml"
    file.write_text(BUDGET.format(static="2 GiB"))
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    return file


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which bundles were measured with how many slots."""
    calls: list[Any] = []

    def measure(bundle: Bundle, slots: int | None, progress: object) -> Profile:
        calls.append((bundle.path.name, slots))
        return profile()

    monkeypatch.setattr("edgekit.profile.profile", measure)
    return calls


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return manifest_alone(tmp_path / "bundle").path


def test_the_document_is_the_profile_judged_by_the_site_s_budget(
    path: Path, site: Path, measured: list[Any], capsys: Capture
) -> None:
    assert main(["profile", str(path), "--slots", "3", "--json"]) == 0
    judged = JudgedProfile(profile(), with_site_budget(target("cpu")))
    assert json.loads(capsys.readouterr().out) == judged.document()
    assert judged.fits
    assert measured == [("bundle", 3)]


def test_a_broken_budget_ends_with_3_unless_forced(
    path: Path, site: Path, measured: list[Any], capsys: Capture
) -> None:
    site.write_text(BUDGET.format(static="1 MiB"))
    assert main(["profile", str(path)]) == 3
    out, err = capsys.readouterr()
    assert "✗" in out
    assert "at most 1.00 MiB" in err
    assert main(["profile", str(path), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["fits"] is False
    assert main(["profile", str(path), "--force"]) == 0
    assert "Forced: static memory breaks the budget of cpu" in capsys.readouterr().err


def test_without_a_bundle_it_is_the_newest_of_the_demo_s_or_one_clear_error(
    tmp_path: Path, site: Path, measured: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["profile"]) == 1
    assert "edgekit demo" in capsys.readouterr().err
    (tmp_path / "build/out/demo").mkdir(parents=True)
    for at, name in enumerate(("q8", "q4", "fp16")):
        bundle = manifest_alone(tmp_path / "build/out/demo" / name)
        os.utime(bundle.path / "manifest.json", (at % 2, at % 2))
    assert main(["profile"]) == 0
    assert measured == [("q4", None)]


@pytest.mark.parametrize("place", ["none", "file", "checkpoint"])
def test_what_is_no_bundle_is_one_clear_error(place: str, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    path = embedded() if place == "checkpoint" else tmp_path / place
    assert main(["profile", str(path)]) == 1
    err = capsys.readouterr().err
    assert "is not a bundle" in err
    assert "Traceback" not in err


def test_a_terminal_of_80_columns_is_wide_enough(
    path: Path, site: Path, measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    assert main(["profile", str(path)]) == 0
    lines = screen.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert any("the kernel's count (VmHWM)" in line for line in lines), "a row was folded"
