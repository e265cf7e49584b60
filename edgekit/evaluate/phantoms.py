"""Ask a model about phantoms, many questions at a time, and count what it answers rightly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from edgekit.errors import EdgeKitError
from edgekit.evaluate.answers import correct, names_every_finding
from edgekit.evaluate.asking import predictions
from edgekit.evaluate.metrics import Metrics, measure
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.share import Change, Share
from edgekit.phantom import Asked, balanced
from edgekit.phantom.questions import Form
from edgekit.phantom.split import SEEDS
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model

__all__ = ["FORMS", "ScoredAnswer", "Scores", "correct", "evaluate", "names_every_finding", "questions", "score"]

FORMS: tuple[Form, ...] = ("closed", "open", "description")
QUESTIONS = 2400


@dataclass(frozen=True, kw_only=True)
class ScoredAnswer:
    """A scored answer has one question and what came of it.

    * ``seed``: the phantom's
    * ``form``, ``topic``, ``question``: what was asked, "closed", "open" or "description"
    * ``expected``, ``answer``: the right answer, and the one that was given
    * ``right``: whether that is right
    * ``confidence``: how sure the model was, from 0 to 1; None where it is not known
    """

    seed: int
    form: Form
    topic: str
    question: str
    expected: str
    answer: str
    right: bool
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model answered rightly, by form and by topic.

    ``names_all`` are the descriptions that name every finding, wherever they put it. ``guessing`` is what the
    commonest answer to each topic would score. ``metrics`` are those of the literature.
    """

    forms: dict[Form, Share]
    topics: dict[str, Share]
    names_all: Share
    guessing: dict[Form, Share]
    metrics: Metrics
    rows: tuple[ScoredAnswer, ...]

    def change(self, other: Scores, form: Form) -> Change:
        """Return what of ``form`` turned wrong and right from these scores to ``other``'s, on the same questions."""
        before, after = ([row.right for row in scores.rows if row.form == form] for scores in (self, other))
        return Change.between(before, after)


def questions(count: int = QUESTIONS) -> list[Asked]:
    """Return the first ``count`` questions of the balanced test."""
    return list(islice(balanced("test", len(SEEDS["test"])), count))


def evaluate(model: Model, asked: Sequence[Asked], progress: Progress = silent) -> Scores:
    """Ask ``model`` every question, greedily, in all of its slots at once.

    Questions about one phantom should be neighbours: the picture is then read once for all of them.
    Raises :class:`~edgekit.errors.EdgeKitError` where one can't be answered at all.
    """
    answers: dict[Hashable, tuple[str, float | None]] = {}
    with closing(predictions(model, "", questions := phantom_set(asked), progress=progress)) as predicted:
        for each in predicted:
            if each.text is None:
                raise EdgeKitError(f"A phantom can't be asked about: {each.metadata['error']}")
            answers[each.question_id] = each.text, each.metadata.get("confidence", {}).get("score")
    texts, confidences = zip(*(answers[item.id] for item in questions.dataset.items), strict=True)
    return score(asked, texts, confidences)


def score(asked: Sequence[Asked], answers: Sequence[str], confidences: Sequence[float | None] | None = None) -> Scores:
    """Return the scores of ``answers`` to the questions ``asked``, one each, in their order; ``confidences``: how sure
    the model was of each."""
    sure = [None] * len(answers) if confidences is None else confidences
    rows = tuple(_scored(each, text.strip(), one) for each, text, one in zip(asked, answers, sure, strict=True))
    described = [
        (each.question, row.answer) for each, row in zip(asked, rows, strict=True) if row.form == "description"
    ]
    return Scores(
        forms={form: Share.of(row.right for row in rows if row.form == form) for form in FORMS},
        topics={topic: Share.of(row.right for row in rows if row.topic == topic) for topic in _topics(rows)},
        names_all=Share.of(names_every_finding(question, text) for question, text in described),
        guessing={form: _guessing([row for row in rows if row.form == form]) for form in FORMS},
        metrics=measure(_pairs(rows, "closed"), _pairs(rows, "open")),
        rows=rows,
    )


def _scored(asked: Asked, text: str, confidence: float | None) -> ScoredAnswer:
    question = asked.question
    return ScoredAnswer(
        seed=asked.scene.seed,
        form=question.form,
        topic=question.topic,
        question=question.text,
        expected=question.answer,
        answer=text,
        right=correct(question, text),
        confidence=confidence,
    )


def _topics(rows: Iterable[ScoredAnswer]) -> list[str]:
    """The topics, form by form."""
    topics = {(FORMS.index(row.form), row.topic) for row in rows}
    return [topic for _, topic in sorted(topics)]


def _guessing(rows: Sequence[ScoredAnswer]) -> Share:
    answers: dict[str, Counter[str]] = {}
    for row in rows:
        answers.setdefault(row.topic, Counter())[row.expected] += 1
    return Share(sum(counts.most_common(1)[0][1] for counts in answers.values()), len(rows))


def _pairs(rows: Iterable[ScoredAnswer], form: Form) -> list[tuple[str, str]]:
    return [(row.expected, row.answer) for row in rows if row.form == form]
