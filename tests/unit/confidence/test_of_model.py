"""What a model's record says of its answers: nothing without one, and in whole sentences with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import Bundle
from edgekit.confidence.of_answer import LOGPROBS
from edgekit.confidence.of_model import ModelConfidence, sentences
from edgekit.confidence.pictures import FEWEST, KnownPictures, features_of
from edgekit.confidence.record import Verdict, store
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.runtime import SamplingParams
from edgekit.runtime.model import Model
from tests.confidence_records import DATA, RECORD
from tests.fake_engine import HIDDEN
from tests.question_sets import picture
from tests.toy_sets import Engine, toy_bundle, toy_model


@pytest.fixture
def model(tmp_path: Path) -> Model:
    toy = toy_bundle()
    return toy_model(Engine(1, context=160), Bundle(tmp_path, toy.manifest, RECORD.bundle))


def test_without_a_record_nothing_is_asked_and_nothing_said(model: Model) -> None:
    assert ModelConfidence.of(model) is None
    completion = next(model.generator.generate([model.prompt([Turn("Is it?")])], SamplingParams(max_tokens=2)))
    assert completion.logprobs == ()


def test_an_answer_is_judged_by_its_tokens_and_its_picture(model: Model, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    width = 2 * HIDDEN
    pictures = KnownPictures.of(np.stack([features_of(rng.random((3, width // 2))) for _ in range(FEWEST)]))
    store(model.bundle, replace(RECORD, pictures=pictures))
    confidence = ModelConfidence.of(model)
    assert confidence is not None
    shown = load_image(picture(tmp_path / "a.png"))
    params = confidence.params(SamplingParams(max_tokens=2))
    assert params.logprobs == LOGPROBS
    for question in ("Is it?", "Is it there?"):  # of the second, the picture is reused
        prompt = model.prompt([Turn(question, images=(shown,))])
        completion = next(model.generator.generate([prompt], params))
        verdict = confidence.verdict(question, completion)
        assert (verdict.low, verdict.unlike, verdict.data) == (True, True, DATA)
        low, unlike = confidence.notes(question, completion)
        assert low.startswith("Low confidence")
        assert unlike.startswith("The picture is unlike those")
        assert all(str(DATA) in sentence for sentence in (low, unlike))
    words = next(model.generator.generate([model.prompt([Turn("Is it?")])], params))
    assert confidence.verdict("Is it?", words).unlike is None


def test_whoever_asks_for_probabilities_gets_those(model: Model) -> None:
    confidence = ModelConfidence(RECORD)
    assert confidence.params(SamplingParams(logprobs=3)) == SamplingParams(logprobs=3)


@pytest.mark.parametrize("low", [False, None])
def test_where_nothing_speaks_against_an_answer_nothing_is_said(low: bool | None) -> None:
    assert sentences(Verdict(low=low, probability=0.9, error=0.05, data=DATA, unlike=False)) == []
    assert sentences(None) == []
