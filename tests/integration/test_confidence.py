"""How sure the embedded model is of its answers: the same whatever stands beside them."""

from __future__ import annotations

from edgekit.bundle import Bundle
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.evaluate.asking import predictions
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.phantoms import questions
from edgekit.runtime.model import Model
from tests.embedded_bundles import EmbeddedBundles

ASKED = phantom_set(questions(48))


def lines(bundle: Bundle, slots: int, start: int = 0) -> dict[object, bytes]:
    """The predictions as they are written, by their ids, from a question on."""
    with Model.open(bundle.path, slots) as model:
        return {each.question_id: each.line() for each in predictions(model, "q4", ASKED, rows=ASKED.rows[start:])}


def test_a_line_is_the_same_in_any_number_of_slots_and_from_any_question_on(embedded_as: EmbeddedBundles) -> None:
    whole = lines(embedded_as("q4"), 8)
    assert lines(embedded_as("q4"), 3) == whole
    assert lines(embedded_as("q4"), 8, 20) == {row.id: whole[row.id] for row in ASKED.rows[20:]}


def test_most_closed_questions_have_a_margin_and_open_ones_none(embedded_as: EmbeddedBundles) -> None:
    with Model.open(embedded_as("q4").path, 8) as model:
        predicted = {each.question_id: each for each in predictions(model, "q4", ASKED)}
    for item in ASKED.dataset.items:
        confidence = AnswerConfidence.read(predicted[item.id].metadata["confidence"])
        assert (confidence.margin is not None) == item.closed
