"""A line of predictions."""

from __future__ import annotations

import json

from edgekit.evaluate.prediction import Prediction


def test_a_line_has_the_references_keys_in_its_order() -> None:
    prediction = Prediction(question_id=7, prompt="Is it?", text="ja, gewiß", answer_id="m:7", model_id="m")
    line = prediction.line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert "gewiß".encode() in line
    assert list(json.loads(line)) == ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"]
    assert Prediction(**json.loads(line)) == prediction
