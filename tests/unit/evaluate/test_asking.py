"""A set asked of a toy: each question's own answer, and each picture read once for all of its questions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.batch.pictures import digest
from edgekit.evaluate.asking import MAX_TOKENS, QuestionSet, predictions
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Turn
from edgekit.runtime import Finished, SamplingParams
from tests.toy_sets import Engine, question_set, toy_model


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    return question_set(tmp_path)


def alone(question: str, picture: Picture, params: SamplingParams) -> str:
    """The answer to a question that nobody else's stands beside."""
    *_, last = toy_model(Engine(1, context=160)).stream([Turn(question, images=(picture,))], params)
    assert isinstance(last, Finished)
    return last.completion.text.strip()


def test_each_question_gets_its_own_answer(questions: QuestionSet) -> None:
    predicted = {each.question_id: each for each in predictions(toy_model(Engine(2, context=160)), "q4", questions)}
    for item in questions.dataset.items:
        path = questions.dataset.folder / item.images[0]
        one = predicted[item.id]
        assert one.text == alone(item.question, load_image(path), questions.params)
        assert one.metadata["sha256"] == [digest(path.read_bytes())]
    assert len({each.text for each in predicted.values()}) == 6


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_each_picture_is_decoded_and_encoded_once(
    questions: QuestionSet, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[str] = Counter()

    def load(path: Path) -> Any:
        read[path.name] += 1
        return load_image(path)

    monkeypatch.setattr("edgekit.batch.pictures.load_image", load)
    engine = Engine(slots, context=160)
    assert len(list(predictions(toy_model(engine), "q4", questions))) == 6
    assert read == {"a.png": 1, "b.png": 1, "c.png": 1}
    assert engine.calls.count(("encode", 1)) == 3


def test_a_line_says_what_was_asked_how_and_nothing_of_its_run(questions: QuestionSet) -> None:
    first, again = (next(predictions(toy_model(Engine(slots, context=160)), "q4", questions)) for slots in (1, 3))
    assert first == again
    assert (first.question_id, first.prompt, first.model_id) == ("q0", "Is it 0?", "q4")
    assert first.answer_id == "edgekit-0000000000000000:q0"
    sampling = first.metadata.pop("sampling")
    assert (sampling["max_tokens"], sampling["temperature"], sampling["seed"]) == (12, 0.0, None)
    assert first.metadata.pop("sha256")
    assert first.metadata.pop("confidence").keys() == {"logprob", "margin", "alternatives", "score"}
    assert first.metadata == {
        "fingerprint": "edgekit-0000000000000000",
        "data": questions.dataset.digest,
        "split": "test",
        "images": ["a.png"],
        "reason": "length",
        "tokens": 12,
        "notes": [],
        "error": None,
    }


def test_what_cannot_be_asked_has_its_reason_and_others_their_answers(questions: QuestionSet) -> None:
    folder = questions.dataset.folder
    (folder / "a.png").write_bytes(b"no picture")
    (folder / "b.png").unlink()
    predicted = {each.prompt: each for each in predictions(toy_model(Engine(2, context=160)), "q4", questions)}
    spoilt, gone, whole = (predicted[f"Is it {number}?"] for number in (0, 1, 3))
    assert (spoilt.text, whole.metadata["error"]) == (None, None)
    assert spoilt.metadata["error"].startswith("a.png is not a picture")
    assert spoilt.metadata["sha256"] == [digest(b"no picture")]
    assert gone.metadata["error"].startswith("There is no file b.png")
    assert gone.metadata["sha256"] == []
    assert whole.text


def test_a_part_is_asked_where_a_part_is_wanted(questions: QuestionSet) -> None:
    told: list[tuple[str, int, int]] = []
    asked = predictions(
        toy_model(Engine(2, context=160)), "q4", questions, {"q0"}, lambda *at: told.append(at), questions.rows[:2]
    )
    assert [each.question_id for each in asked] == ["q2"]
    assert told == [("answering", 1, 2), ("answering", 2, 2)]


def test_an_answer_may_be_as_long_as_the_reference_lets_it_be(questions: QuestionSet) -> None:
    plain = QuestionSet(dataset=questions.dataset)
    assert (plain.params.max_tokens, plain.params.temperature) == (MAX_TOKENS, 0)
    assert MAX_TOKENS == 1024
    other = replace(plain, params=SamplingParams(max_tokens=16))
    assert other.asked(other.rows[0], "x") != plain.asked(plain.rows[0], "x")
