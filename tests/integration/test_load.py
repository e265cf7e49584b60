"""The load test's program against a service, in small: every answer comes, and every place that is told is true."""

from __future__ import annotations

import asyncio

import pytest

from tests.benchmarks.load import load, question
from tests.benchmarks.load_figures import figures
from tests.embedded_bundles import EmbeddedBundles
from tests.served import Slow, serving


@pytest.mark.parametrize("images", [0, 1])
def test_under_load_all_is_answered_and_places_are_true(embedded_as: EmbeddedBundles, images: int) -> None:
    bodies = [question(number, images, {"max_tokens": 4, "stream": True}) for number in range(24)]
    assert len(set(bodies)) == len(bodies)
    with serving(embedded_as("q4"), slots=2, engine=Slow) as served:
        replies = asyncio.run(load(served.url, bodies, callers=12))
    result = figures(replies, 12)
    assert (result.requests, result.errors) == (24, {})
    assert result.places.told >= 10
    assert result.places.true == result.places.told
    assert result.tokens_per_s > 0
