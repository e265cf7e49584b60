"""The gate: which profile counts, and what happens where none does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle import MANIFEST, PROFILES
from edgekit.config import seal
from edgekit.errors import ConfigError, EdgeKitError, GateRefused
from edgekit.profile import gate
from edgekit.profile.record import Profile
from edgekit.profile.store import load_profile, profiles, require_room, store
from edgekit.target import Budget, target
from edgekit.units import GIB
from tests.unit.profile.made import DEVICE, profile


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bundle of digest ddd… on DEVICE, within 2 GiB after loading."""
    monkeypatch.setattr(gate, "device_here", lambda target: DEVICE)
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


def test_damaged_files_and_other_versions_are_passed_over(bundle: Any) -> None:
    good = store(bundle, profile())
    folder = bundle.path / PROFILES
    whole = good.read_text()
    (folder / "cut.json").write_text(whole[: len(whole) // 2])
    (folder / "empty.json").write_text("")
    (folder / "list.json").write_text("[]")
    (folder / "future.json").write_text(json.dumps({**config.dump(profile(made="2027-01-01T00:00:00Z")), "format": 9}))
    for nothing in ("sides", "rows"):
        (folder / f"no-{nothing}.json").write_text(json.dumps({**config.dump(profile()), nothing: []}))
    assert profiles(bundle.path) == [profile()]
    with pytest.raises(ConfigError, match="format 9"):
        load_profile(folder / "future.json")
    with pytest.raises(ConfigError, match=r"cut\.json"):
        load_profile(folder / "cut.json")


def test_a_profile_is_read_as_it_was_written(bundle: Any) -> None:
    path = store(bundle, profile())
    assert load_profile(path) == profile()
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing half-made beside it


def test_a_bundle_that_can_not_be_written_to_is_one_error(bundle: Any) -> None:
    (bundle.path / PROFILES).write_text("a file where the folder would be")
    for write in (lambda: store(bundle, profile()), lambda: require_room(bundle)):
        with pytest.raises(EdgeKitError) as error:
            write()
        assert str(bundle.path) in error.value.message


def test_a_full_disk_is_refused_before_anything_is_measured(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(EdgeKitError, match="1000 B free") as error:
        require_room(bundle)
    assert "Make room" in error.value.hint
