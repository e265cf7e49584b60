"""What was forced at an install: kept beside an installed bundle, shown with its manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.bundle import unsealed
from edgekit.bundle.forced import FORCED, ForcedGate, forced_at_install, keep_forced
from edgekit.check.inspect import inspect_bundle
from edgekit.errors import ConfigError
from tests.unit.check.case import MANIFEST

GATE = ForcedGate(
    gate="profile", why="2 GiB over budget", release="a", at="2026-11-30T12:00:00Z", figures={"dynamic_bytes": 7.0}
)


def test_a_bundle_that_is_not_installed_or_passed_has_nothing(tmp_path: Path) -> None:
    bundle = unsealed(tmp_path, MANIFEST)
    assert forced_at_install(bundle) == ()
    (tmp_path / FORCED).symlink_to(tmp_path / "record.json")
    assert forced_at_install(bundle) == ()


def test_each_gate_of_each_release_is_kept_once_and_shown_with_the_manifest(tmp_path: Path) -> None:
    bundle, record = unsealed(tmp_path, MANIFEST), tmp_path / "record.json"
    (tmp_path / FORCED).symlink_to(record)
    other = ForcedGate(gate="check", why="KL", release="a", at="2026-12-01T00:00:00Z")
    for gate in (GATE, other, GATE):
        keep_forced(record, gate)
    assert forced_at_install(bundle) == (other, GATE)
    document = inspect_bundle(bundle).document()
    assert [gate["why"] for gate in document["forced_at_install"]] == ["KL", "2 GiB over budget"]
    assert GATE.text == "profile, at the install on 2026-11-30: 2 GiB over budget"


def test_a_record_that_is_damaged_is_told_and_what_is_forced_next_still_kept(tmp_path: Path) -> None:
    bundle, record = unsealed(tmp_path, MANIFEST), tmp_path / "record.json"
    (tmp_path / FORCED).symlink_to(record)
    record.write_text("{")
    with pytest.raises(ConfigError, match=r"record\.json"):
        forced_at_install(bundle)
    keep_forced(record, GATE)
    assert forced_at_install(bundle) == (GATE,)
