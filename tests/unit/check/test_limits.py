"""Which figures a gate limits, and how much of what the building engine had is allowed."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import get_args

import pytest

from edgekit.check.components import ComponentFigures, Name
from edgekit.check.limits import Limit, component_limits, whole_limits
from edgekit.check.measure import UNUSABLE
from edgekit.recipe import Gate
from tests.fake_engine import fake_spec
from tests.unit.check.case import BUNDLE, FIGURES, GOLDEN

GATE = Gate(top1=0.9, kl=0.1, perplexity=1.2, loss=0.1, error=0.15, offset=0.01)


def limits(measured: ComponentFigures, at_build: float | None = None, *, in_float16: bool = False) -> dict[str, float]:
    golden = replace(GOLDEN, errors={} if at_build is None else {measured.name: at_build})
    all_of_it = component_limits(measured, golden, BUNDLE, GATE, in_float16=in_float16)
    return {limit.name: limit.limit for limit in all_of_it}


@pytest.mark.parametrize(
    ("limit", "passed", "badness"),
    [
        (Limit("KL", 0.1, 0.1), True, 1),
        (Limit("KL", 0.3, 0.1), False, 3),
        (Limit("top-1", 0.9, 0.9, least=True), True, 1),
        (Limit("top-1", 0.8, 0.9, least=True), False, 2),
        (Limit("error", 0.0, 0.0), True, 0),
        (Limit("error", 0.01, 0.0), False, UNUSABLE),
        (Limit("top-1", 1.0, 1.0, least=True), True, 0),
        (Limit("top-1", 0.99, 1.0, least=True), False, UNUSABLE),
    ],
)
def test_badness_is_one_at_the_limit_and_more_beyond_it(limit: Limit, passed: bool, badness: float) -> None:
    assert limit.passed is passed
    assert limit.badness == pytest.approx(badness)
    assert limit.document()["passed"] is passed
    assert ("at least" in limit.text) == limit.least


def test_two_decided_positions_may_go_another_way_by_chance() -> None:
    top1, kl, perplexity = whole_limits(FIGURES, GATE)
    assert (top1.measured, top1.least) == (0.8, True)
    assert top1.limit == pytest.approx(0.9 - 2 / 20)
    assert (kl.passed, perplexity.passed) == (True, False)
    assert whole_limits(replace(FIGURES, decided=0), GATE)[0].limit == 0


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("image", ["error"]),
        ("template", ["error"]),
        ("embedding", ["error", "loss"]),
        ("vision", ["error", "loss"]),
        ("projector", ["error", "loss"]),
        ("decoder", ["error", "KL"]),
    ],
)
def test_each_component_has_its_figures(name: Name, figures: list[str]) -> None:
    assert name in get_args(Name)
    assert list(limits(ComponentFigures(name=name, error=0.1))) == figures


def test_an_error_may_be_twice_that_at_the_build_and_noise_but_never_beyond_the_gate() -> None:
    vision = ComponentFigures(name="vision", error=0.1)
    assert limits(vision)["error"] == GATE.error
    assert limits(vision, 0.02)["error"] < limits(vision, 0.02, in_float16=True)["error"] < GATE.error
    assert limits(vision, 0.02)["error"] - limits(vision, 0.01)["error"] == pytest.approx(2 * 0.01)
    assert limits(vision, 0.5)["error"] == GATE.error


def test_a_template_has_no_slack() -> None:
    assert limits(ComponentFigures(name="template", error=0.0)) == {"error": 0.0}


def test_noise_of_a_projector_averages_out_over_a_picture_s_rows() -> None:
    measured = ComponentFigures(name="projector", error=0.08, offset=0.0)
    assert limits(measured)["offset"] == pytest.approx(0.01 + 1.5 * 0.08 / sqrt(fake_spec().tokens_per_image))
