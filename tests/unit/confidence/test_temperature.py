"""The temperature that scores were made with is fitted; the calibration's error is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.record import scaled as scaled_one
from edgekit.confidence.temperature import calibration_error, fit_temperature, scaled


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_scores_is_fitted(temperature: float) -> None:
    random = np.random.default_rng(1)
    log_odds = random.normal(0.5, 1.5, 20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-log_odds))
    scores = 1 / (1 + np.exp(-log_odds * temperature))
    fitted = fit_temperature(Outcomes(scores, right, ("",) * 20_000))
    assert fitted == pytest.approx(temperature, rel=0.05)
    after = calibration_error(scaled(scores, fitted), right)
    assert after < 0.02
    assert temperature == 1 or after < calibration_error(scores, right) / 3


def test_where_nothing_was_answered_nothing_is_scaled() -> None:
    assert fit_temperature(Outcomes.of([])) == 1


def test_one_score_is_scaled_as_many_are() -> None:
    scores = np.array([0.01, 0.5, 0.8, 0.999])
    assert scaled(scores, 2.0) == pytest.approx([scaled_one(score, 2.0) for score in scores])
    assert np.isfinite(scaled(np.array([0.0, 1.0]), 0.05)).all()


def test_the_calibration_error_is_the_bins_distance_weighted() -> None:
    probabilities = np.array([0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 1.0])
    right = np.array([True, True, True, False, True, False, True])
    assert calibration_error(probabilities, right) == pytest.approx(4 / 7 * (0.9 - 0.75))
    assert calibration_error(np.array([]), np.array([], np.bool_)) == 0
