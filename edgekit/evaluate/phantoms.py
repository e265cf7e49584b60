"""Ask a model about phantoms, many questions at a time, and count what it answers rightly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter

from PIL import Image

from edgekit.evaluate.answers import correct, names_every_finding
from edgekit.evaluate.metrics import Metrics, measure
from edgekit.evaluate.share import Change, Share
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.phantom import Asked, Scene, balanced, draw
from edgekit.phantom.questions import Form
from edgekit.phantom.split import SEEDS
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model
from edgekit.runtime.sampling import SamplingParams

__all__ = ["FORMS", "ScoredAnswer", "Scores", "correct", "evaluate", "names_every_finding", "questions", "score"]

FORMS: tuple[Form, ...] = ("closed", "open", "description")
QUESTIONS = 2400
_GREEDY = SamplingParams(max_tokens=48)  # the longest description takes about half of them


@dataclass(frozen=True, kw_only=True)
class ScoredAnswer:
    """A scored answer has one question and what came of it.

    * ``seed``: the phantom's
    * ``form``, ``topic``, ``question``: what was asked, "closed", "open" or "description"
    * ``expected``, ``answer``: the right answer, and the one that was given
    * ``right``: whether that is right
    """

    seed: int
    form: Form
    topic: str
    question: str
    expected: str
    answer: str
    right: bool


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
    answers: list[str] = []
    for completion in model.generator.generate(_prompts(model, asked), _GREEDY):
        if completion.error is not None:
            raise completion.error
        answers.append(completion.text)
        progress("answering", len(answers), len(asked))
    return score(asked, answers)


def score(asked: Sequence[Asked], answers: Sequence[str]) -> Scores:
    """Return the scores of ``answers`` to the questions ``asked``, one each, in their order."""
    rows = tuple(_scored(each, text.strip()) for each, text in zip(asked, answers, strict=True))
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


def _prompts(model: Model, asked: Iterable[Asked]) -> Iterator[Prompt]:
    for scene, group in groupby(asked, key=attrgetter("scene")):
        picture = Picture.of(_drawn(scene))
        for each in group:
            yield model.prompt([Turn(each.question.text, images=(picture,))])


@lru_cache(maxsize=512)  # 25 MB: the next model is asked about the same phantoms, and drawing one takes 30 ms
def _drawn(scene: Scene) -> Image.Image:
    return draw(scene)


def _scored(asked: Asked, text: str) -> ScoredAnswer:
    question = asked.question
    return ScoredAnswer(
        seed=asked.scene.seed,
        form=question.form,
        topic=question.topic,
        question=question.text,
        expected=question.answer,
        answer=text,
        right=correct(question, text),
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
