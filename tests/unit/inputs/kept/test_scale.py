"""Frames scaled down by area, padding apart."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.inputs.kept.scale import MOST_SIDE, fitted, scaled_colour, scaled_grey

RNG = np.random.default_rng(4)
PIXELS = RNG.integers(0, 2**16, (12, 20), dtype=np.uint16)


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((20, 12), 0, (20, 12)),
        ((20, 12), 20, (20, 12)),
        ((20, 12), 10, (10, 6)),
        ((20, 12), 1, (1, 1)),
        ((3, 9000), 100, (1, 100)),
        ((2 * MOST_SIDE, MOST_SIDE), 0, (MOST_SIDE, MOST_SIDE // 2)),
        ((2 * MOST_SIDE, MOST_SIDE), 99_999, (MOST_SIDE, MOST_SIDE // 2)),
    ],
)
def test_sizes(size: tuple[int, int], side: int, expected: tuple[int, int]) -> None:
    assert fitted(size, side) == expected


def test_the_mean_of_each_area() -> None:
    expected = np.rint(PIXELS.reshape(6, 2, 10, 2).mean((1, 3)))
    scaled = scaled_grey(PIXELS, (10, 6), None)
    assert scaled.dtype == np.uint16
    np.testing.assert_allclose(scaled, expected, atol=1)  # halves are rounded either way
    assert scaled_grey(PIXELS, (20, 12), None) is PIXELS


def test_padding_counts_for_nothing() -> None:
    pixels = np.full((4, 6), 1000, np.uint16)
    pixels[:2, :2] = pixels[2, 2] = 65_535
    assert scaled_grey(pixels, (3, 2), 65_535).tolist() == [[65_535, 1000, 1000], [1000, 1000, 1000]]


def test_what_grows_stays_within_its_values() -> None:
    scaled = scaled_grey(PIXELS, (20, 30), None)
    assert scaled.shape == (30, 20)
    assert PIXELS.min() <= scaled.min() <= scaled.max() <= PIXELS.max()


def test_colours() -> None:
    colours = RNG.integers(0, 256, (12, 20, 3), dtype=np.uint8)
    scaled = scaled_colour(colours, (10, 6))
    np.testing.assert_allclose(scaled, colours.reshape(6, 2, 10, 2, 3).mean((1, 3)), atol=1)
    assert scaled_colour(colours, (20, 12)) is colours
    assert scaled_colour(colours, (20, 24)).shape == (24, 20, 3)
