"""Bundles asked the questions of a set whose pictures are files, with their answers in one file.

In: bundles, a set, and where the answers go. Out: what each bundle answered.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edgekit.evaluate.answered import Answered, of_bundle
from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.compare import of_subject
from edgekit.evaluate.predictions import PredictionsFile, predictions_file
from edgekit.evaluate.subjects import Subject, Subjects
from edgekit.progress import Progress, silent


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
            answered.append(of_bundle(subject.name, subject.bundle, questions.dataset, file.of(subject.name)))
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
