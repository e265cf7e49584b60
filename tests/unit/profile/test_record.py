"""A profile is made of records, and flat in its file, which profiles from before have as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit import config
from edgekit.config.writing import write_json
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition
from edgekit.profile.record import Profile
from edgekit.profile.store import load_profile
from tests.unit.profile.made import profile

KEYS = (
    *("format", "edgekit", "made", "digest", "model", "recipe", "target", "slots", "context", "compiled", "device"),
    *("sides", "share_bytes", "library_bytes", "weights", "components"),
    *("planned", "planned_static_bytes", "planned_dynamic_bytes", "planned_service_bytes"),
    *("growth_bytes", "load_warm_s", "load_cold_s", "times", "rows", "disk_bytes", "cgroup_peak_bytes"),
    *("before", "after", "form", "moments"),
)


def test_the_file_has_the_keys_that_it_always_had_in_their_order() -> None:
    assert tuple(config.dump(profile())) == KEYS


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_json(path, profile())
    assert load_profile(path) == profile()


def test_a_profile_from_before_forms_and_conditions_were_kept_is_read() -> None:
    flat = config.dump(profile())
    older = {key: value for key, value in flat.items() if key not in ("before", "after", "form", "moments")}
    read = config.load(Profile, older, "an older profile")
    assert (read.before, read.bundle.form, read.memory.moments) == (Condition(), "", ())
    assert read.memory.sides == profile().memory.sides


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("share_bytes", -1, "'share_bytes' must be zero or more bytes"),
        ("memory", {}, "unknown key 'memory'"),
        ("rows", [], "a profile without memory or without speed"),
    ],
)
def test_errors_name_the_file_s_own_keys(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(Profile, {**config.dump(profile()), key: value}, "a profile")


def test_a_missing_key_is_named_as_in_the_file() -> None:
    flat = config.dump(profile())
    del flat["planned_static_bytes"]
    with pytest.raises(ConfigError, match="'planned_static_bytes' is missing"):
        config.load(Profile, flat, "a profile")
