"""The embedded model answers for minutes: its memory stays what it was, and its answers those of a fresh engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import MIB
from tests.soak import Soaked

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

SECONDS = os.environ.get("EDGEKIT_SOAK_SECONDS", "180")


@pytest.fixture(scope="module", params=["q4", "fp32"])
def soaked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Soaked:
    path = tmp_path_factory.mktemp("soak") / request.param
    build(embedded(), target("cpu"), recipe(request.param), path)
    command = [sys.executable, "-m", "tests.soak", str(path), SECONDS]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Soaked(**json.loads(done.stdout))


def test_its_memory_does_not_grow(soaked: Soaked, record_property: Note) -> None:
    record_property("growth", f"{soaked.growth_bytes / MIB:.1f} MiB")
    assert soaked.growth_bytes <= 2 * MIB


def test_its_answers_are_a_fresh_engine_s(soaked: Soaked, record_property: Note) -> None:
    record_property("answers", f"{soaked.answers:,}")
    record_property("cancelled and asked again", f"{soaked.cancelled:,}")
    assert soaked.answers > 3 * float(SECONDS)
    assert soaked.cancelled
    assert soaked.reused_tokens
    assert not soaked.changed
