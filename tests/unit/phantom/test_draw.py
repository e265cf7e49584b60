from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgekit.phantom.draw import SIZE, draw
from edgekit.phantom.scene import Finding, Kind, Scene, Side, Zone, scene

SEEDS = range(70, 78)
PLACES: list[tuple[Kind, Side, Zone]] = [
    *(("nodule", side, zone) for side in ("left", "right") for zone in ("upper", "lower")),
    *(("consolidation", side, zone) for side in ("left", "right") for zone in ("upper", "lower")),
    *(("effusion", side, "lower") for side in ("left", "right")),
    *(("pneumothorax", side, "upper") for side in ("left", "right")),
    *(("pacemaker", side, "upper") for side in ("left", "right")),
    *(("tube", side, "lower") for side in ("left", "right")),
]
# The row on which the middle of a chest that stands straight is drawn: zones meet there, give or take a tilt.
MIDDLE_ROW = 131


def grey(seed: int, *findings: Finding) -> NDArray[np.float64]:
    return np.asarray(draw(Scene(seed, findings)), np.float64)


def smooth(picture: NDArray[np.float64], width: int = 7) -> NDArray[np.float64]:
    """Means over squares: what is left is no noise."""
    kernel = np.ones(width) / width
    for axis in (0, 1):
        picture = np.apply_along_axis(np.convolve, axis, picture, kernel, "same")
    return picture


def change(seed: int, finding: Finding) -> tuple[NDArray[np.float64], float]:
    """What a finding adds to a picture, smoothed, and the deviation of that picture's noise.

    Noise is drawn last, so it differs between the pictures; everything else of the chest is the same.
    """
    added = grey(seed, finding) - grey(seed)
    # In flat tissue under the lungs, whatever the two pictures have in common cancels out.
    noise = float(np.std(added[-10:, 90:134])) / 2**0.5
    return smooth(added), noise


def test_the_same_scene_is_drawn_the_same() -> None:
    for seed in range(5):
        picture = draw(scene(seed))
        assert picture.mode == "L"
        assert picture.size == (SIZE, SIZE)
        assert picture.tobytes() == draw(scene(seed)).tobytes()
    assert len({draw(Scene(seed, ())).tobytes() for seed in range(20)}) == 20


def test_pictures_vary_and_are_neither_black_nor_white() -> None:
    means = []
    for seed in range(30):
        picture = np.asarray(draw(scene(seed)))
        means.append(picture.mean())
        assert np.ptp(np.percentile(picture, [2, 98])) > 90
        assert (picture == 255).mean() < 0.05
    assert np.std(means) > 5, "exposures differ"


def test_another_size_is_the_same_picture() -> None:
    for seed in range(3):
        small = np.asarray(draw(Scene(seed, ()), 112), np.float64)
        large = np.asarray(draw(Scene(seed, ())).resize((112, 112), Image.Resampling.BOX), np.float64)
        assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("kind", "side", "zone"), PLACES)
def test_a_finding_is_seen_where_it_lies(kind: Kind, side: Side, zone: Zone) -> None:
    for seed in SEEDS:
        added, noise = change(seed, Finding(kind, side, zone))
        size = np.abs(added)
        core = size >= size.max() / 2
        assert size[core].mean() > max(20, 2 * noise)
        weight = size * (size > 0.35 * size.max())
        row, column = (weight.sum(axis) @ np.arange(SIZE) / weight.sum() for axis in (1, 0))
        # The patient's left is on the right of the picture, as radiographs are read.
        assert (column > SIZE / 2 + 20) if side == "left" else (column < SIZE / 2 - 20)
        assert (row < MIDDLE_ROW) if zone == "upper" else (row > MIDDLE_ROW)
        other = size[:, : SIZE // 2 - 20] if side == "left" else size[:, SIZE // 2 + 20 :]
        assert np.quantile(other, 0.99) < max(4, 1.5 * noise), "nothing on the other side"


@pytest.mark.parametrize(("kind", "side", "zone"), PLACES)
def test_air_is_dark_and_everything_else_bright(kind: Kind, side: Side, zone: Zone) -> None:
    for seed in SEEDS:
        added, noise = change(seed, Finding(kind, side, zone))
        darker = added < -max(8.0, noise)
        assert darker.any() == (kind == "pneumothorax")


def heart_width(picture: NDArray[np.float64]) -> int:
    """How many columns are brighter than the middle between lungs and heart, at the heart's height."""
    rows = smooth(picture)[140:152, 45:180].mean(axis=0)
    return int((rows > np.percentile(rows, [5, 90]).mean()).sum())


def test_an_enlarged_heart_is_wider_and_nothing_else_changes() -> None:
    for seed in range(20):
        normal, enlarged = grey(seed), grey(seed, Finding("heart"))
        assert heart_width(enlarged) > 1.25 * heart_width(normal)
        assert np.array_equal(normal[:80], enlarged[:80]), "the upper zones"
        assert np.array_equal(normal[:, :30], enlarged[:, :30])
        assert np.array_equal(normal[:, -30:], enlarged[:, -30:])
        assert (enlarged < normal).mean() < 0.005, "but for a few pixels of its edge, it only grows"


def test_findings_do_not_move_each_other() -> None:
    """Two findings in one picture are seen where each was alone."""
    nodule, tube = Finding("nodule", "left", "upper"), Finding("tube", "right", "lower")
    for seed in SEEDS:
        both = smooth(grey(seed, nodule, tube) - grey(seed))
        alone, _ = change(seed, nodule)
        left = slice(SIZE // 2 + 10, None)
        assert np.corrcoef(both[:130, left].ravel(), alone[:130, left].ravel())[0, 1] > 0.9
        assert np.abs(both[:, : SIZE // 2 - 10]).max() > 20
