"""A service under callers who ask, leave and come back: nothing lost, nothing mixed up, nothing kept; here in small."""

from __future__ import annotations

import pytest

from tests.embedded_bundles import EmbeddedBundles
from tests.soak_served import soak

pytestmark = pytest.mark.system


def test_nothing_is_lost_or_mixed_up_whoever_leaves_and_comes_back(embedded_as: EmbeddedBundles) -> None:
    soaked = soak(embedded_as("q4").path, 150)
    assert not soaked.changed
    assert not soaked.errors
    assert soaked.alike == 0
    assert soaked.left_over == 0
    kinds = " ".join(soaked.kinds)
    for kind in ("asked", "left after", "left before the first token", "left while writing", "taken up"):
        assert kind in kinds
