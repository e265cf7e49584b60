"""Which figures a gate limits, and how much of what the building engine had is allowed."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import get_args

import numpy as np
import pytest

from edgekit.bundle import Bundle
from edgekit.check.components import ComponentFigures, Name
from edgekit.check.limits import Limit, component_limits, whole_limits
from edgekit.check.measure import UNUSABLE, gain, offset, relative_error
from edgekit.check.rounding import Sums, of_component
from edgekit.recipe import Gate
from tests.fake_engine import fake_spec
from tests.unit.check.case import BUNDLE, FIGURES, GOLDEN

GATE = Gate(top1=0.9, kl=0.1, perplexity=1.2, loss=0.1, error=0.15, offset=0.01)


def limits(measured: ComponentFigures, at_build: float | None = None, *, sums: Sums = "float32") -> dict[str, float]:
    golden = replace(GOLDEN, errors={} if at_build is None else {measured.name: at_build})
    return {limit.name: limit.limit for limit in component_limits(measured, golden, BUNDLE, GATE, sums=sums)}


def wide(width: int, layers: int) -> Bundle:
    """A bundle of a decoder of that width."""
    spec = fake_spec()
    spec = replace(spec, decoder=replace(spec.decoder, hidden=width, layers=layers))
    return replace(BUNDLE, manifest=replace(BUNDLE.manifest, spec=spec))


def broken(bundle: Bundle, noise: float, by: float, sums: Sums) -> set[str]:
    """The limits that a decoder breaks which had an error of 0.0006 at the build, whose logits are off by ``noise`` and
    too large ``by`` a share of them."""
    random = np.random.default_rng(0)
    exact = random.standard_normal((32, 256))
    given = exact * (1 + by) + noise * random.standard_normal(exact.shape)
    figures = ComponentFigures(
        name="decoder", error=relative_error(given, exact), gain=gain(given, exact), offset=offset(given, exact)
    )
    golden = replace(GOLDEN, errors={"decoder": 0.0006})
    return {limit.name for limit in component_limits(figures, golden, bundle, GATE, sums=sums) if not limit.passed}


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
    assert limits(vision, 0.02)["error"] == pytest.approx(2 * 0.02 + 0.005)
    assert limits(vision, 0.02, sums="gpu")["error"] == pytest.approx(2 * 0.02 + 0.02)
    assert limits(vision, 0.5)["error"] == limits(vision, 0.5, sums="gpu")["error"] == GATE.error


@pytest.mark.parametrize("at_build", [None, 0.0006, 0.5])
def test_what_sums_in_float16_are_off_by_comes_on_top_of_every_limit(at_build: float | None) -> None:
    decoder = ComponentFigures(name="decoder", error=0.1)
    more = limits(decoder, at_build, sums="float16")["error"] - limits(decoder, at_build)["error"]
    assert more == pytest.approx(1.5 * of_component("decoder", fake_spec()))


# A Cortex-A76 and its sums in numpy, of docs/figures.md: what is off by no more than it must be.
WIDE = [(256, 4, 0.0065), (1024, 16, 0.0175), (4096, 32, 0.0391)]


@pytest.mark.parametrize(("width", "layers", "noise"), WIDE)
def test_a_scale_that_is_off_by_three_hundredths_is_refused_through_the_noise_of_float16(
    width: int, layers: int, noise: float
) -> None:
    bundle = wide(width, layers)
    assert broken(bundle, noise, 0.0, "float16") == set()
    assert "gain" in broken(bundle, noise, 0.03, "float16")
    assert "gain" in broken(bundle, noise, -0.03, "float16")


def test_where_sums_are_in_float32_the_error_alone_refuses_it() -> None:
    assert broken(wide(4096, 32), 0.0006, 0.0, "float32") == set()
    assert broken(wide(4096, 32), 0.0006, 0.03, "float32") == {"error"}
    assert broken(wide(4096, 32), 0.0065, 0.0, "float32") == {"error"}


def test_more_than_float16_can_be_off_by_is_refused() -> None:
    assert broken(wide(256, 4), 3 * 0.0065, 0.0, "float16") == {"error"}


def test_a_template_has_no_slack() -> None:
    assert limits(ComponentFigures(name="template", error=0.0)) == {"error": 0.0}


def test_noise_of_a_projector_averages_out_over_a_picture_s_rows() -> None:
    measured = ComponentFigures(name="projector", error=0.08, offset=0.0)
    assert limits(measured)["offset"] == pytest.approx(0.01 + 1.5 * 0.08 / sqrt(fake_spec().tokens_per_image))


def test_what_float16_rounds_alike_in_rows_that_are_alike_is_no_lost_bias() -> None:
    measured = ComponentFigures(name="projector", error=0.01, offset=0.0023)
    vision = replace(fake_spec().vision, image_size=336, patch=14)
    spec = replace(fake_spec(), vision=vision)
    bundle = replace(BUNDLE, manifest=replace(BUNDLE.manifest, spec=spec))
    gate = replace(GATE, offset=0.0005)

    def passes(sums: Sums) -> bool:
        judged = component_limits(measured, GOLDEN, bundle, gate, sums=sums)
        return next(limit for limit in judged if limit.name == "offset").passed

    assert [passes(sums) for sums in ("float32", "gpu", "float16")] == [False, False, True]
