"""A bundle's confidence calibrated on its answers: what counts as right, and where the record goes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.bundle import open_bundle
from edgekit.confidence.record import CONFIDENCE, read
from edgekit.errors import EdgeKitError
from edgekit.evaluate.answered import Answered
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.calibrating import (
    calibrate_on_phantoms,
    calibrate_on_set,
    require_place,
    with_confidence,
)
from edgekit.evaluate.compare import Evaluated
from edgekit.evaluate.phantoms import questions, score
from edgekit.evaluate.prediction import Prediction
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Item
from tests.embedded_bundles import EmbeddedBundles


@pytest.fixture
def bundle(embedded_as: EmbeddedBundles, tmp_path: Path) -> Path:
    return embedded_as.copy("q4", tmp_path / "q4").path


def answered(rows: list[tuple[str, bool, str, float | None]]) -> Answered:
    """Answers by (right answer, closed, text, score), two questions on a picture."""
    items = tuple(
        Item(id=number, question="Is it?", images=(f"{number // 2}.png",), answer=right, closed=closed)
        for number, (right, closed, _, _) in enumerate(rows)
    )
    place = Path("toy")
    dataset = Dataset(title="Toy", form="llava", split="test", source=place, folder=place, items=items)
    predictions = tuple(
        Prediction(
            question_id=number,
            prompt="Is it?",
            text=text,
            answer_id="",
            model_id="q4",
            metadata={} if score is None else {"confidence": {"score": score}},
        )
        for number, (_, _, text, score) in enumerate(rows)
    )
    return Answered(name="q4", digest="d", dataset=dataset, predictions=predictions, texts={})


def asked_of(answered: Answered) -> QuestionSet:
    """What was asked, about pictures that are gone."""
    return QuestionSet(dataset=answered.dataset)


def test_an_answer_is_right_that_has_every_word_of_the_right_one(bundle: Path) -> None:
    rows: list[tuple[str, bool, str, float | None]] = [
        ("no", True, "normal", 0.9),
        ("no", True, "No.", 0.9),
        ("left", True, "on the left", 0.9),
        ("left lung", False, "the lung", 0.9),
        ("left lung", False, "in the lung, on the left", 0.9),
        ("yes", True, "yes", None),
    ]
    (calibrated,) = calibrate_on_set([bundle], [answered(rows)], asked_of(answered(rows)))
    assert (calibrated.answers, calibrated.without) == (5, 1)
    assert calibrated.error == pytest.approx(2 / 5)
    record = read(open_bundle(bundle))
    assert record == calibrated.confidence
    assert record is not None
    assert (record.bundle, record.data.items) == (open_bundle(bundle).digest, 6)


def test_phantoms_are_right_as_a_whole_and_go_the_same_way(bundle: Path) -> None:
    asked = questions(120)
    random = np.random.default_rng(0)
    scores = score(asked, [each.question.answer for each in asked], random.random(120).tolist())
    rows = tuple(replace(row, right=row.confidence is not None and row.confidence > 0.4) for row in scores.rows)
    evaluated = Evaluated("q4", "q4", 1, "d", replace(scores, rows=rows))
    (calibrated,) = calibrate_on_phantoms([bundle], [evaluated], asked)
    assert calibrated.answers == 120
    assert calibrated.confidence.data.title == "Phantoms"
    five = calibrated.confidence.promises[-1]
    assert five.threshold is not None
    assert five.threshold > 0.3


def test_a_bundle_that_cannot_be_written_to_is_told_before_it_is_asked(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_place([bundle])
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & os.W_OK)
    with pytest.raises(EdgeKitError, match=CONFIDENCE):
        require_place([bundle])


def test_a_document_gets_each_bundle_s_calibration(bundle: Path) -> None:
    same = answered([("yes", True, "yes", 0.9)] * 4)
    (one,) = calibrate_on_set([bundle], [same], asked_of(same))
    assert with_confidence({"name": "q4"}, []) == {"name": "q4"}
    assert with_confidence({"name": "q4"}, [one])["confidence"] == one.document()
    both: dict[str, Any] = {"bundles": [{"name": "a"}, {"name": "b"}], "comparisons": []}
    merged = with_confidence(both, [one, one])
    assert [each["confidence"] for each in merged["bundles"]] == [one.document()] * 2
    assert merged["comparisons"] == []
