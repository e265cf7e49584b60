"""Accuracy against memory: the front by its definition, the logarithm by what it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.report.paper.literature import literature
from edgekit.report.paper.measured import read_measured
from edgekit.report.paper.pareto import Point, fit, front, points
from edgekit.units import GIB
from tests.reported import evaluation, profile, write

POINTS = st.lists(
    st.builds(Point, st.just("x"), st.integers(40, 45).map(float), st.integers(1, 6).map(float), st.booleans()),
    max_size=9,
)


@given(POINTS)
def test_nobody_beats_a_model_on_the_front_and_somebody_every_other(models: list[Point]) -> None:
    def beats(one: Point, other: Point) -> bool:
        no_worse = one.accuracy >= other.accuracy and one.memory_bytes <= other.memory_bytes
        return no_worse and (one.accuracy, one.memory_bytes) != (other.accuracy, other.memory_bytes)

    best = front(models)
    places = {(point.accuracy, point.memory_bytes) for point in best}
    for model in models:
        beaten = any(beats(other, model) for other in models)
        assert beaten == ((model.accuracy, model.memory_bytes) not in places)
    assert best == sorted(best, key=lambda point: point.memory_bytes)


def test_the_logarithm_is_found_again() -> None:
    models = [Point("x", 50 + 3 * exponent, GIB * 2.718281828**exponent, ours=False) for exponent in range(-2, 4)]
    assert fit(models) == pytest.approx((50, 3))
    assert fit(models[:1]) is None
    assert fit([*models[:1], *models[:1]]) is None


def test_published_models_and_ours_of_which_both_are_known(tmp_path: Path) -> None:
    folder = write(tmp_path, a=evaluation("a", 60.0), b=evaluation("b", 61.0), p=profile("a", 1.0, 1.25))
    models = points(literature(), read_measured([folder]))
    assert [point.name for point in models if point.ours] == ["a"]
    assert len(models) == 4
    assert models[-1].memory_bytes == 1.25 * GIB
