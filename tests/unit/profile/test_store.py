"""Profiles in a bundle: written whole, read as they were written, and passed over where they can not be."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle import MANIFEST, PROFILES
from edgekit.config import seal
from edgekit.errors import ConfigError, EdgeKitError
from edgekit.profile import gate
from edgekit.profile.store import load_profile, profiles, require_room, store
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
