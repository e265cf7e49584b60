"""Pictures like those that were asked about, and others, by features whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgekit import config
from edgekit.confidence.pictures import FEWEST, Features, KnownPictures, features_of
from edgekit.errors import ConfigError

WIDTH = 60


def like(count: int, seed: int) -> Features:
    """Features of one kind of picture: they differ along ten axes."""
    rng = np.random.default_rng(seed)
    axes = np.random.default_rng(0).standard_normal((10, WIDTH))
    values = 5 + rng.standard_normal((count, 10)) @ axes * 0.1 + 0.01 * rng.standard_normal((count, WIDTH))
    return np.stack([features_of(row[None].repeat(2, 0))[:WIDTH] for row in values])


def unlike(count: int, seed: int) -> Features:
    """Features that differ as much, along other axes."""
    values = 5 + 0.1 * np.random.default_rng(seed).standard_normal((count, WIDTH))
    return np.stack([features_of(row[None].repeat(2, 0))[:WIDTH] for row in values])


@pytest.fixture(scope="module")
def known() -> KnownPictures:
    known = KnownPictures.of(like(200, 1))
    assert known is not None
    return known


def test_features_are_means_and_deviations_of_rows_without_their_length() -> None:
    rows = np.array([[1, 2], [3, 2]], np.float16)
    np.testing.assert_allclose(features_of(rows), np.array([2, 2, 1, 0]) / 3, rtol=1e-6)
    np.testing.assert_allclose(features_of(7 * rows), features_of(rows), rtol=1e-6)
    assert not features_of(np.zeros((3, 2), np.float32)).any()


def test_pictures_of_the_same_kind_are_like_them_and_others_are_not(known: KnownPictures) -> None:
    assert np.mean([known.are_unlike(each) for each in like(500, 2)]) < 0.08
    assert np.mean([known.are_unlike(each) for each in unlike(200, 3)]) > 0.9


def test_the_distance_is_mahalanobis_of_the_shrunk_covariance(known: KnownPictures) -> None:
    seen, other = like(200, 1).astype(np.float64), unlike(1, 4)[0]
    spread = np.cov(seen.T)
    shrunk = spread + 0.1 * np.trace(spread) / WIDTH * np.eye(WIDTH)
    off = other - seen.mean(0)
    assert known.distance(other) == pytest.approx(np.sqrt(off @ np.linalg.solve(shrunk, off)), rel=0.02)


def test_of_few_pictures_nothing_is_known() -> None:
    assert KnownPictures.of(like(FEWEST - 1, 1)) is None
    assert KnownPictures.of(like(1, 1).repeat(FEWEST, 0)) is None


def test_what_is_recorded_is_read_and_says_the_same(known: KnownPictures) -> None:
    read = config.load(KnownPictures, config.dump(known), "record")
    assert read == known
    assert read.distance(unlike(1, 5)[0]) == known.distance(unlike(1, 5)[0])
    assert len(known.axes) < 64 * 4 * WIDTH


@pytest.mark.parametrize(
    "changes", [{"mean": "!"}, {"axes": "AAA="}, {"variances": (1.0,)}, {"rest": 0.0}, {"threshold": -1.0}]
)
def test_what_does_not_go_together_is_refused(known: KnownPictures, changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        replace(known, **changes)  # type: ignore[arg-type]
