"""Bundles asked the questions of a set whose pictures are files, side by side, with their answers in one file.

In: bundles, a set, and where the answers go. Out: what each bundle answered, and what that scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.compare import of_subject
from edgekit.evaluate.metrics import Metrics, measure
from edgekit.evaluate.prediction import Prediction
from edgekit.evaluate.predictions import PredictionsFile, predictions_file
from edgekit.evaluate.subjects import Subject, Subjects
from edgekit.progress import Progress, silent
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Id, Item


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a bundle answered to a set.

    * ``name`` tells it from the others; ``recipe``, ``bytes``, ``digest``: the bundle's
    * ``dataset``: what was asked; ``predictions``: what came of each question
    """

    name: str
    recipe: str
    bytes: int
    digest: str
    dataset: Dataset
    predictions: tuple[Prediction, ...]

    @classmethod
    def of(cls, name: str, bundle: Bundle, dataset: Dataset, predictions: Sequence[Prediction]) -> Answered:
        return cls(
            name=name,
            recipe=bundle.manifest.recipe.name,
            bytes=bundle.bytes,
            digest=bundle.digest,
            dataset=dataset,
            predictions=tuple(predictions),
        )

    @property
    def failed(self) -> tuple[Prediction, ...]:
        """The questions without an answer."""
        return tuple(each for each in self.predictions if each.text is None)

    @cached_property
    def texts(self) -> dict[Id, str]:
        """The answers by their ids. A question has an empty one where the model had its picture and gave none; one
        whose picture is gone is not there."""
        return {each.question_id: each.text or "" for each in self.predictions if _was_there(each)}

    @property
    def scored(self) -> tuple[Item, ...]:
        """The questions that count: those that have a text."""
        return tuple(item for item in self.dataset.items if item.id in self.texts)

    @cached_property
    def metrics(self) -> Metrics:
        """Closed accuracy and open recall, in percent."""
        closed, open_ended = (
            [(item.answer, self.texts[item.id]) for item in self.scored if item.closed is closed]
            for closed in (True, False)
        )
        return measure(closed, open_ended)

    def document(self) -> dict[str, Any]:
        """Return a bundle's answers and scores as JSON has them, in percent."""
        metrics = self.metrics
        return {
            "name": self.name,
            "recipe": self.recipe,
            "bytes": self.bytes,
            "digest": self.digest,
            "data": self.dataset.document() | {"failed": len(self.failed)},
            "closed": config.dump(metrics.closed),
            "open_recall": metrics.open_recall,
            "rows": self._rows(),
        }

    def _rows(self) -> list[dict[str, Any]]:
        items = {item.id: item for item in self.dataset.items}
        return [
            {
                "id": each.question_id,
                "question": each.prompt,
                "images": list(items[each.question_id].images),
                "expected": items[each.question_id].answer,
                "answer": each.text,
                "error": each.metadata["error"],
                "closed": items[each.question_id].closed,
            }
            for each in self.predictions
        ]


def _was_there(prediction: Prediction) -> bool:
    return prediction.text is not None or len(prediction.metadata["sha256"]) > 0


def evaluate_set(
    subjects: Subjects, questions: QuestionSet, out: Path, slots: int | None = None, progress: Progress = silent
) -> list[Answered]:
    """Ask each bundle every question that it has no answer to in ``out`` yet, one bundle in memory at a time.

    ``slots`` None: as many as a bundle's target has. Raises what opening a bundle raises, and what
    :func:`~edgekit.evaluate.predictions.predictions_file` does; what is wrong with one question is that one's answer.
    """
    answered: list[Answered] = []
    with predictions_file(out, questions, subjects.names) as file:
        for subject in subjects:
            _ask(subject, questions, file, slots, of_subject(progress, subject.name))
            answered.append(Answered.of(subject.name, subject.bundle, questions.dataset, file.of(subject.name)))
        file.arrange(subjects.names)
    return answered


def _ask(
    subject: Subject, questions: QuestionSet, file: PredictionsFile, slots: int | None, progress: Progress
) -> None:
    """Ask a bundle what it has not answered yet; where that is nothing, it is not opened."""
    before = file.answered(subject.name, subject.bundle.fingerprint)
    if len(before) == len(questions.rows):
        return
    with (
        subject.open(slots) as model,
        closing(predictions(model, subject.name, questions, before, progress)) as answers,
    ):
        for prediction in answers:
            file.add(prediction)


def document(answered: Sequence[Answered]) -> dict[str, Any]:
    """Return what one bundle answered, or several beside each other, as JSON has it."""
    documents = [each.document() for each in answered]
    return documents[0] if len(documents) == 1 else {"bundles": documents}
