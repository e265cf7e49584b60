"""What a bundle's confidence is worth, as people read it."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.cli.show.confidence import show_calibrated
from edgekit.confidence.calibrate import calibrate
from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.record import Data
from edgekit.console import Console

DATA = Data(title="Toy", form="llava", split="test", digest="d", items=404)


def test_promises_stand_beside_the_reasons_why_others_are_not_made(capsys: pytest.CaptureFixture[str]) -> None:
    scores = np.linspace(0, 1, 400)
    outcomes = Outcomes(scores, scores > 0.5, tuple(map(str, range(400))))
    show_calibrated(Console(), ["q4"], [calibrate(outcomes, "b", DATA, without=4)])
    out = capsys.readouterr().out
    assert "Confidence of q4, by 400 answers to Toy, test: 404 questions" in out
    promised = {line.split()[0]: line for line in out.splitlines() if line[:2] in ("1%", "2%", "5%", "10")}
    assert "too few rows: of 400 answers, 200 test it" in promised["1%"]
    assert "5%" in promised
    assert "50.0% of all answers are wrong" in out
    assert "4 questions have no confidence" in out
    assert "they are too few" in out
