from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import Array
from edgekit.errors import EdgeKitError, EngineError
from edgekit.evaluate.phantoms import FORMS, evaluate, questions, score
from edgekit.evaluate.share import Change
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Turn
from edgekit.phantom import Asked, draw
from edgekit.runtime import Finished, Generator, SamplingParams
from edgekit.runtime.model import Model
from tests.fake_engine import FakeEngine, byte_tokenizer, fake_spec
from tests.specs import manifest

ASKED = questions(60)
EVERY = questions()
ANSWERS = [asked.question.answer for asked in ASKED]


class Engine(FakeEngine):
    """As many rows per picture as the toy's description says."""

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return super().encode(pixels)[:, : fake_spec().tokens_per_image]


def model(engine: FakeEngine) -> Model:
    spec, tokenizer = fake_spec(), byte_tokenizer()
    made = manifest(spec=spec, context=engine.context)
    return Model(Bundle(Path(), made, ""), tokenizer, engine, Generator(engine, tokenizer, spec))


def alone(asked: Asked) -> str:
    """The answer to a question that nobody else's stands beside."""
    turn = Turn(asked.question.text, images=(Picture.of(draw(asked.scene)),))
    *_, last = model(Engine(1, context=160)).stream([turn], SamplingParams(max_tokens=48))
    assert isinstance(last, Finished)
    return last.completion.text.strip()


def test_each_question_gets_its_own_answer_and_each_picture_is_read_once() -> None:
    engine, progress_seen = Engine(5, context=160), list[tuple[str, int, int]]()
    asked = ASKED[:18]
    scores = evaluate(model(engine), asked, lambda *progress: progress_seen.append(progress))
    assert [row.answer for row in scores.rows] == [alone(each) for each in asked]
    assert len({row.answer for row in scores.rows}) > 6
    assert engine.calls.count(("encode", 1)) == 3
    assert progress_seen == [("answering", done, 18) for done in range(19)]


def test_an_answer_that_fails_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(2, context=160)

    def fail(*_: object) -> None:
        raise EngineError("out of memory")

    monkeypatch.setattr(engine, "decode", fail)
    with pytest.raises(EdgeKitError, match="out of memory"):
        evaluate(model(engine), ASKED[:6])


def test_right_answers_score_everything_and_silence_nothing() -> None:
    best, worst = score(ASKED, ANSWERS), score(ASKED, [""] * len(ASKED))
    for share in (*best.forms.values(), *best.topics.values(), best.names_all):
        assert share.right == share.total > 0
    for share in (*worst.forms.values(), *worst.topics.values(), worst.names_all):
        assert share.right == 0 < share.total
    assert best.metrics.closed is not None
    assert best.metrics.closed.paper == best.metrics.open_recall == 100
    assert {form: best.change(worst, form) for form in FORMS} == {
        form: Change(share.total, 0) for form, share in best.forms.items()
    }


@settings(max_examples=30)
@given(st.sets(st.integers(0, len(ASKED) - 1)))
def test_what_is_wrong_is_counted_where_it_belongs(wrong: set[int]) -> None:
    answers = ["perhaps" if at in wrong else answer for at, answer in enumerate(ANSWERS)]
    scores = score(ASKED, answers)
    assert [at for at, row in enumerate(scores.rows) if not row.right] == sorted(wrong)
    by_form = Counter(ASKED[at].question.form for at in wrong)
    by_topic = Counter(ASKED[at].question.topic for at in wrong)
    assert {form: share.total - share.right for form, share in scores.forms.items()} == {f: by_form[f] for f in FORMS}
    assert all(share.total - share.right == by_topic[topic] for topic, share in scores.topics.items())
    assert sum(share.total for share in scores.topics.values()) == len(ASKED)
    assert scores.names_all.total - scores.names_all.right == by_form["description"]


def test_a_description_may_name_every_finding_and_yet_misplace_one() -> None:
    asked = [ask for ask in EVERY if ask.question.form == "description" and " left" in ask.question.answer]
    scores = score(asked, [ask.question.answer.replace(" left", " right") for ask in asked])
    assert scores.names_all.right == scores.names_all.total == len(asked) > 100
    assert scores.forms["description"].right == 0


def test_guessing_is_what_the_commonest_answers_score() -> None:
    by_topic: dict[str, Counter[str]] = {}
    for one in EVERY:
        by_topic.setdefault(one.question.topic, Counter())[one.question.answer] += 1
    guesses = [by_topic[asked.question.topic].most_common(1)[0][0] for asked in EVERY]
    scores = score(EVERY, guesses)
    for form in FORMS:
        guessed = scores.guessing[form]
        assert guessed.total == scores.forms[form].total
        assert guessed.right == scores.forms[form].right
    assert scores.guessing["closed"].percent < 55
    assert scores.guessing["open"].percent < 35


def test_the_whole_test_is_2400_questions_and_a_part_of_it_its_beginning() -> None:
    assert len(EVERY) == 2400
    assert EVERY[:60] == ASKED
    assert len({asked.scene.seed for asked in questions(2500)}) == math.ceil(2500 / 6)
