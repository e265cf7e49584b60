"""A ward of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.ward.ward import Ward
from tests.wards import Clock, open_ward


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ward(tmp_path: Path, clock: Clock) -> Iterator[Ward]:
    with open_ward(tmp_path, clock) as opened:
        yield opened
