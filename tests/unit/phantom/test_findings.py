"""Where findings are drawn: on their side, in their zone, in the lung that they are of."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.phantom.findings import Body, add_finding, clipped, smooth_noise
from edgekit.phantom.scene import ZONES_OF, Finding, Kind, Side

SIZE = 96
AXIS = np.linspace(-1, 1, SIZE, dtype=np.float32)


def body() -> Body:
    u, v = np.meshgrid(AXIS, AXIS)
    return Body(u, v, (0.44, 0.0, 0.33, 0.62), (0.55, 0.5), (0.08, 0.3, 0.25, 0.28))


def drawn(kind: Kind, side: Side, seed: int) -> np.ndarray:
    attenuation = np.zeros((SIZE, SIZE), np.float32)
    add_finding(np.random.default_rng(seed), body(), Finding(kind, side, ZONES_OF[kind][0]), attenuation)
    return attenuation


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ZONES_OF)
def test_a_finding_lies_on_its_side(kind: Kind, side: Side) -> None:
    """The patient's left has a positive u. A pacemaker's wire alone leads to the heart."""
    for seed in range(3):
        change = np.abs(drawn(kind, side, seed)).sum(axis=0)
        own, other = change[AXIS > 0].sum(), change[AXIS < 0].sum()
        if side == "right":
            own, other = other, own
        assert own > 3 * other


@pytest.mark.parametrize(("kind", "sign"), [("nodule", 1), ("effusion", 1), ("pneumothorax", -1)])
def test_air_takes_attenuation_away_and_all_else_adds_it(kind: Kind, sign: int) -> None:
    change = drawn(kind, "left", 0)
    assert change.sum() * sign > 0


@pytest.mark.parametrize("kind", ["nodule", "consolidation"])
def test_zones_are_above_and_below_the_middle(kind: Kind) -> None:
    for zone, above in (("upper", True), ("lower", False)):
        attenuation = np.zeros((SIZE, SIZE), np.float32)
        add_finding(np.random.default_rng(1), body(), Finding(kind, "left", zone), attenuation)  # type: ignore[arg-type]
        middle = (np.abs(attenuation).sum(axis=1) * AXIS).sum() / np.abs(attenuation).sum()
        assert bool(middle < 0) is above


def test_lungs_are_where_the_body_says_and_shrink_within_themselves() -> None:
    lungs = body()
    left, right = lungs.sides[1], lungs.sides[-1]
    assert left[:, AXIS < 0].max() == right[:, AXIS > 0].max() == 0
    np.testing.assert_array_equal(lungs.lungs, np.maximum(left, right))
    assert lungs.lung_of(1, 0.7).sum() < 0.8 * left.sum()


def test_noise_is_smooth_and_edges_end() -> None:
    noise = smooth_noise(np.random.default_rng(0), 64, 4)
    assert noise.shape == (64, 64)
    assert np.abs(np.diff(noise, axis=0)).max() < 0.3
    np.testing.assert_array_equal(clipped(np.array([-1, 0.5, 2])), [0, 0.5, 1])
