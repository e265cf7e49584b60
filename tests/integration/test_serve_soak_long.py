"""Ten thousand requests to a service: nothing lost, nothing mixed up, and its memory stays what it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.embedded_bundles import EmbeddedBundles
from tests.soak_served import Soaked

Note = Callable[[str, object], None]
pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

REQUESTS = os.environ.get("EDGEKIT_SOAK_REQUESTS", "10000")


@pytest.fixture(scope="module")
def soaked(embedded_as: EmbeddedBundles) -> Soaked:
    command = [sys.executable, "-m", "tests.soak_served", str(embedded_as("q4").path), REQUESTS]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Soaked(**json.loads(done.stdout))


def test_nothing_is_lost_or_mixed_up(soaked: Soaked, record_property: Note) -> None:
    record_property("requests a second", f"{soaked.requests / soaked.seconds:.1f}")
    assert not soaked.changed
    assert not soaked.errors
    assert soaked.alike == 0
    assert soaked.left_over == 0


def test_its_memory_does_not_grow(soaked: Soaked, record_property: Note) -> None:
    record_property("growth", f"{soaked.growth:.2%}")
    assert soaked.growth <= 0.01
