"""The gate: which profile counts, and what happens where none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.bundle import MANIFEST
from edgekit.config import seal
from edgekit.errors import GateRefused
from edgekit.profile import gate
from edgekit.profile.record import Profile
from edgekit.profile.store import store
from edgekit.target import Budget, target
from edgekit.units import GIB
from tests.unit.profile.made import DEVICE, profile


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bundle of digest ddd… on DEVICE, within 2 GiB after loading."""
    monkeypatch.setattr(gate, "device_here", lambda target, here: DEVICE)
    limited = replace(target("cpu"), slots=2, budget=Budget(static_bytes=2 * GIB))
    (tmp_path / MANIFEST).write_text(seal.dumps({"files": {}}))
    return SimpleNamespace(path=tmp_path, digest="d" * 64, manifest=SimpleNamespace(target=limited, files={}))


def measuring(bundle: Any, measured: Profile, calls: list[Profile]) -> Callable[..., Profile]:
    def measure(asked: Any, progress: object) -> Profile:
        calls.append(measured)
        store(bundle, measured)
        return measured

    return measure


def test_a_profile_of_this_bundle_on_this_device_is_not_made_again(bundle: Any) -> None:
    store(bundle, profile())
    calls: list[Profile] = []
    kept, rows = gate.require_profile(bundle, measure=measuring(bundle, profile(), calls))
    assert kept == profile()
    assert all(row.passed for row in rows)
    assert not calls


@pytest.mark.parametrize(
    "changed",
    [
        {"digest": "e" * 64},
        {"device": replace(DEVICE, driver="another")},
        {"device": replace(DEVICE, memory_bytes=4 * GIB)},
        {"device": replace(DEVICE, engine_version="1.32.0")},
        {"slots": 1},
    ],
    ids=["another bundle", "another driver", "less memory", "another runtime", "fewer slots"],
)
def test_what_is_of_something_else_does_not_count(bundle: Any, changed: dict[str, Any]) -> None:
    store(bundle, profile(**changed))
    calls: list[Profile] = []
    kept, _ = gate.require_profile(bundle, measure=measuring(bundle, profile(made="2026-11-02T00:00:00Z"), calls))
    assert len(calls) == 1
    assert kept.measured_at == "2026-11-02T00:00:00Z"
    assert gate.latest(bundle) == kept  # and the next time it is there


def test_the_newest_counts_even_where_it_is_the_worse(bundle: Any) -> None:
    side = profile().memory.sides[0]
    worse = profile(made="2026-11-03T00:00:00Z", sides=(replace(side, static_bytes=3 * GIB, dynamic_bytes=3 * GIB),))
    store(bundle, profile())
    store(bundle, worse)
    calls: list[Profile] = []
    with pytest.raises(GateRefused, match=r"static memory 3\.00 GiB, at most 2\.00 GiB"):
        gate.require_profile(bundle, measure=measuring(bundle, worse, calls))
    assert calls  # it was measured once more before it was refused


def test_a_site_that_changes_its_mind_is_heard_without_measuring(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store(bundle, profile())
    stricter = Budget(static_bytes=GIB // 2)
    monkeypatch.setattr(gate, "with_site_budget", lambda target: replace(target, budget=stricter))
    with pytest.raises(GateRefused, match="at most 512 MiB"):
        gate.require_profile(bundle, measure=measuring(bundle, profile(), []))
