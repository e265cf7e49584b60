"""A bundle's confidence calibrated: what its record says, and how well its scores tell right answers from wrong ones.

Answers are divided by picture into two parts. On one the temperature is fitted, and it is learned where promises may
begin; on the other they are tested, and the calibration's error is told. Coverages are of all answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.promises import promises
from edgekit.confidence.record import Confidence, Data
from edgekit.confidence.selective import Covered, Curve, coverages, curve
from edgekit.confidence.temperature import calibration_error, fit_temperature, scaled
from edgekit.errors import EdgeKitError


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What calibrating came to.

    * ``confidence``: the record
    * ``answers``: how many it rests on, of which the share ``error`` is wrong; ``without``: how many have no confidence
    * ``fitted``, ``tested``: how many are in either part
    * ``before``, ``after``: the expected calibration error of scores, and of scaled ones, over those that tested it
    * ``curve``: of risk and coverage; ``coverages``: at several errors
    """

    confidence: Confidence
    answers: int
    without: int
    error: float
    fitted: int
    tested: int
    before: float
    after: float
    curve: Curve
    coverages: tuple[Covered, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it, in percent but for thresholds, which are scores, and the temperature."""
        return {
            "answers": self.answers,
            "without": self.without,
            "error": 100 * self.error,
            "parts": {"fitted": self.fitted, "tested": self.tested},
            "pictures": None if self.confidence.pictures is None else self.confidence.pictures.count,
            "temperature": self.confidence.temperature,
            "calibration_error": {"before": 100 * self.before, "after": 100 * self.after},
            "area": 100 * self.curve.area,
            "curve": self.curve.document(),
            "coverage": [each.document() for each in self.coverages],
            "promises": [
                config.dump(each) | {"error": 100 * each.error, "coverage": 100 * each.coverage}
                for each in self.confidence.promises
            ],
        }


def calibrate(outcomes: Outcomes, bundle: str, data: Data, without: int = 0) -> Calibrated:
    """Calibrate a bundle by its digest on what came of ``data``; ``without`` answers of it have no confidence.

    The same outcomes come to the same. :class:`EdgeKitError` where there are none.
    """
    if not len(outcomes):
        raise EdgeKitError(
            f"No answer to {data} tells how sure the model was",
            "Answers of an earlier version don't: remove the file of predictions, and ask again.",
        )
    first, second = outcomes.halves(data.digest)
    temperature = fit_temperature(first)
    return Calibrated(
        confidence=Confidence(bundle=bundle, data=data, temperature=temperature, promises=promises(first, second)),
        answers=len(outcomes),
        without=without,
        error=outcomes.error,
        fitted=len(first),
        tested=len(second),
        before=calibration_error(second.scores, second.right),
        after=calibration_error(scaled(second.scores, temperature), second.right),
        curve=curve(outcomes),
        coverages=coverages(outcomes),
    )
