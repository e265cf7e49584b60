"""What the long tests do, in small: some seconds of a soak, and a tiny model the whole way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from edgekit.profile import profile
from edgekit.units import GIB, MIB
from tests.benchmarks.full_shape import write
from tests.embedded_bundles import EmbeddedBundles
from tests.soak import soak
from tests.walked import NEEDS, lacking, walk


def test_a_service_s_memory_and_answers_stay(embedded_as: EmbeddedBundles) -> None:
    soaked = soak(embedded_as("q4").path, seconds=5, pictures=12)
    assert soaked.answers
    assert soaked.reused_tokens
    assert not soaked.changed
    assert soaked.growth_bytes < 8 * MIB  # what settles takes longer than this on a busy machine


def test_a_tiny_model_goes_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.profile.profile", partial(profile, seconds=0.05))
    write("tiny", tmp_path / "checkpoint")
    walked = walk(tmp_path / "checkpoint", tmp_path, tokens=4)
    assert walked.built["check"]["passed"]
    assert walked.checked["passed"]
    assert walked.answered["tokens"] == 4
    assert not walked.unplanned
    assert abs(walked.error("static")) <= 0.05
    # No figure was fitted on it: 15 % more are planned for its activations than it takes. Too little would be wrong.
    assert -0.10 <= walked.error("dynamic") <= 0.25


@pytest.mark.parametrize("name", NEEDS)
def test_a_machine_with_too_little_is_told_what_is_needed(name: str) -> None:
    need = NEEDS[name]
    assert not lacking(name, need.disk_bytes, need.memory_bytes)
    assert "of disk, and 0 B are free" in lacking(name, 0, need.memory_bytes)
    assert "of memory, and 0 B are free" in lacking(name, need.disk_bytes, 0)
    assert "3.00 GiB of memory, and 1.00 GiB are free" in lacking("tinyllava-1.5b", 100 * GIB, GIB)
