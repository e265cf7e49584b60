"""A release tries its own bundle: what is there is not made again, and a gate's no is part of what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.deploy import examined
from edgekit.deploy.examined import examine
from edgekit.errors import EngineError, GateRefused
from edgekit.progress import silent
from tests.embedded_bundles import EmbeddedBundles
from tests.unit.profile.made import profile


@pytest.fixture
def bundle(embedded_as: EmbeddedBundles) -> Path:
    return embedded_as("q4").path


def refuse(*words: object) -> None:
    raise GateRefused("it falls short", "build it anew")


def test_what_was_compiled_for_this_machine_is_not_compiled_again(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examined, "find_form", lambda bundle: (bundle.path, ""))
    monkeypatch.setattr(examined, "prepare_here", refuse)
    assert examine("compile", bundle, silent) == {"compiled": False}


@pytest.mark.parametrize("needed", [True, False])
def test_what_can_not_be_compiled_is_an_error_only_where_it_is_needed(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, needed: bool
) -> None:
    class Refused:
        failure, compiled, needs_plans, why = None, None, needed, "no room"

        class refused:
            why = EngineError("no room", "")

    monkeypatch.setattr(examined, "find_form", lambda bundle: (None, ""))
    monkeypatch.setattr(examined, "prepare_here", lambda bundle, progress: Refused)
    if needed:
        with pytest.raises(EngineError, match="no room"):
            examine("compile", bundle, silent)
    else:
        assert examine("compile", bundle, silent) == {"compiled": False, "why": "no room"}


def test_answers_that_fall_short_are_told_and_no_error(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Checked:
        class checked:
            stood_in = False

    monkeypatch.setattr(examined, "check_on_device", lambda bundle, progress: Checked)
    monkeypatch.setattr(examined, "require_answers", lambda checked: None)
    assert examine("check", bundle, silent) == {"stood_in": False}
    monkeypatch.setattr(examined, "require_answers", refuse)
    assert examine("check", bundle, silent) == {"refused": ["it falls short", "build it anew"]}


@pytest.mark.parametrize("kept", [True, False])
def test_a_profile_within_the_budget_is_not_made_again(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    calls: list[Any] = []

    def measure(bundle: object, progress: object) -> object:
        calls.append(bundle)
        return profile()

    monkeypatch.setattr(examined, "latest", lambda bundle: profile() if kept else None)
    monkeypatch.setattr(examined, "profile", measure)
    monkeypatch.setattr(examined, "require_within", lambda measured, target: None)
    told = examine("profile", bundle, silent)
    assert set(told) == {"static_bytes", "dynamic_bytes", "budget"}
    assert len(calls) == (0 if kept else 1)
    monkeypatch.setattr(examined, "require_within", refuse)
    assert "refused" in examine("profile", bundle, silent)
