"""The demo's phantom and its gate; that its steps are true is for the integration test."""

from __future__ import annotations

import pytest

from edgekit.demo.steps import SEED, TOPICS, DemoScores, about_one, require_right
from edgekit.errors import GateRefused
from edgekit.evaluate.share import Share
from edgekit.phantom import scene
from edgekit.phantom.split import SEEDS


def test_the_phantom_that_is_shown_is_of_the_test_and_shows_what_is_asked() -> None:
    kinds = {finding.kind for finding in scene(SEED).findings}
    assert SEED in SEEDS["test"]
    assert kinds == {"heart", "effusion"}
    asked = [asked.question for asked in about_one()]
    assert [question.topic for question in asked] == list(TOPICS)
    assert [question.form for question in asked] == ["closed", "open", "description"]
    assert all(asked.scene == scene(SEED) for asked in about_one())


def test_a_model_that_answers_wrongly_is_refused() -> None:
    require_right(DemoScores({"closed": Share(28, 30), "open": Share(20, 30)}, 0.1))  # 48 of 60
    with pytest.raises(GateRefused, match="Only 47 of 60") as caught:
        require_right(DemoScores({"closed": Share(27, 30), "open": Share(20, 30)}, 0.1))
    assert "--recipe q8" in caught.value.hint
