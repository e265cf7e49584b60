"""A profile beside its target: whether it fits, by which limits it does not, and the JSON that scripts read."""

from __future__ import annotations

import json
from dataclasses import replace

from edgekit.profile.judged import JudgedProfile
from edgekit.target import Budget, target
from edgekit.units import GIB, MIB
from tests.unit.profile.made import profile

ROOMY = replace(target("cpu"), budget=Budget(), memory_bytes=8 * GIB, reserved_bytes=0, bandwidth=10 * 512 * MIB)


def judged(budget: Budget) -> JudgedProfile:
    return JudgedProfile(profile(), replace(ROOMY, budget=budget))


def test_it_fits_where_no_limit_is_broken() -> None:
    assert judged(Budget(static_bytes=GIB)).fits
    tight = judged(Budget(static_bytes=GIB - 1, load_s=1.0))
    assert not tight.fits
    assert [row.name for row in tight.broken] == ["static memory", "load, cold"]


def test_the_bandwidth_that_steps_use_is_that_of_their_weights() -> None:
    """Ten steps a second of 512 MiB are all that this memory gives; two rows at 18 tokens are nine steps."""
    assert judged(Budget()).bandwidth_shares == (1.0, 0.9)


def test_json_begins_with_what_scripts_read() -> None:
    document = judged(Budget(static_bytes=GIB - 1)).document()
    assert list(document)[:4] == ["fits", "static_bytes", "dynamic_bytes", "components"]
    assert (document["fits"], document["static_bytes"], document["dynamic_bytes"]) == (False, GIB, 3 * GIB // 2)
    assert [row["name"] for row in document["budget"] if not row["passed"]] == ["static memory"]
    assert "moments" not in document
    assert {row["name"]: row["error"] for row in document["planned"]}["process"] == 0.2
    assert json.loads(json.dumps(document)) == document
