"""Calibrating: a record and a report of the same answers, the same again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgekit.confidence.calibrate import calibrate
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.record import Data
from edgekit.errors import EdgeKitError

DATA = Data(title="Toy", form="llava", split="test", digest="d", items=1205)


def outcomes() -> Outcomes:
    random = np.random.default_rng(3)
    scores = random.random(1200) ** 0.1
    right = random.random(1200) < scores**4
    return Outcomes(scores, right, tuple(str(number // 4) for number in range(1200)))


def test_what_calibrating_comes_to() -> None:
    calibrated = calibrate(outcomes(), "b" * 64, DATA, without=5)
    document = json.loads(json.dumps(calibrated.document()))
    assert (document["answers"], document["without"]) == (1200, 5)
    assert document["parts"]["fitted"] + document["parts"]["tested"] == 1200
    assert document["error"] == pytest.approx(100 * outcomes().error)
    assert document["calibration_error"]["after"] < document["calibration_error"]["before"]
    assert [each["error"] for each in document["promises"]] == [1, 2, 5, 10]
    assert [each["error"] for each in document["coverage"]] == [1, 2, 5, 10, 20]
    assert document["curve"][-1] == {"coverage": 100, "risk": pytest.approx(document["error"])}
    assert 0 < document["area"] < document["error"]
    assert calibrate(outcomes(), "b" * 64, DATA, without=5).document() == calibrated.document()


def test_its_record_judges_answers() -> None:
    confidence = calibrate(outcomes(), "b" * 64, DATA).confidence
    threshold = confidence.promises[-1].threshold
    assert threshold is not None
    sure, unsure = (
        AnswerConfidence(logprob=0.0, margin=None, alternatives=(), score=score) for score in (threshold, threshold / 2)
    )
    assert (confidence.judge(sure).low, confidence.judge(unsure).low) == (False, True)
    assert (confidence.bundle, confidence.data) == ("b" * 64, DATA)


def test_answers_that_tell_no_confidence_are_an_error() -> None:
    with pytest.raises(EdgeKitError, match="No answer to Toy, test"):
        calibrate(Outcomes.of([]), "b" * 64, DATA)
