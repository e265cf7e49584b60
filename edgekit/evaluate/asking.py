"""A set of questions asked of a bundle, in all of its slots: an answer comes out as its line in a file of predictions.

Whatever a set is, it is asked here: real ones, whose pictures are files, and phantoms, whose pictures are drawn.
"""

from __future__ import annotations

from collections.abc import Container, Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from edgekit.batch.answer import Answer
from edgekit.batch.asking import ask_rest, sampling_of
from edgekit.batch.local import Local
from edgekit.batch.pictures import Files, Pictures
from edgekit.batch.rows import Row, neighbours
from edgekit.confidence.of_answer import LOGPROBS
from edgekit.evaluate.prediction import Prediction
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model
from edgekit.runtime.sampling import SamplingParams
from edgekit.vqa.dataset import Dataset

MAX_TOKENS = 1024
"""Where an answer is cut at the latest: LLaVA's and LLaVA-Med's ``model_vqa`` allow so many, closed or open."""


@dataclass(frozen=True, kw_only=True)
class QuestionSet:
    """What every bundle is asked: a set, where its pictures come from, and how answers are drawn, greedily."""

    dataset: Dataset
    pictures: Pictures = field(default_factory=Files)
    params: SamplingParams = field(default_factory=lambda: SamplingParams(max_tokens=MAX_TOKENS))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The questions, those about one picture beside each other: it is read once for all of them."""
        items, folder = self.dataset.items, self.dataset.folder
        return tuple(neighbours([Row(item.id, item.question, item.images, folder) for item in items]))

    def prediction(self, row: Row, answer: Answer, name: str, fingerprint: str) -> Prediction:
        """Return the line of what came of a row, of the bundle ``name``."""
        return Prediction(
            question_id=row.id,
            prompt=row.question,
            text=None if answer.text is None else answer.text.strip(),
            answer_id=f"{fingerprint}:{row.id}",
            model_id=name,
            metadata={
                **self.asked(row, fingerprint),
                "sha256": list(answer.sha256),
                "reason": answer.reason,
                "tokens": answer.tokens,
                "notes": list(answer.notes),
                **({} if answer.confidence is None else {"confidence": answer.confidence.document()}),
                "error": answer.error,
            },
        )

    def asked(self, row: Row, fingerprint: str) -> dict[str, Any]:
        """Return what a line's metadata say of how a row is asked: where that is the same, so is the answer."""
        return {
            "fingerprint": fingerprint,
            "data": self.dataset.digest,
            "split": self.dataset.split,
            "images": list(row.images),
            "sampling": sampling_of(self.params),
        }


def predictions(
    model: Model,
    name: str,
    questions: QuestionSet,
    answered: Container[Hashable] = (),
    progress: Progress = silent,
    rows: Sequence[Row] | None = None,
) -> Generator[Prediction, None, None]:
    """Ask ``model``, which is called ``name``, and yield an answer as it comes to each question but those ``answered``.

    ``rows`` are a part of the questions; None: all of them. A question that can't be asked has its reason for an
    answer. Closing the iterator ends what still runs.
    """
    fingerprint = model.fingerprint
    rows = questions.rows if rows is None else rows
    params = replace(questions.params, logprobs=LOGPROBS)
    answers = ask_rest(rows, answered, Local(model, questions.pictures), params, progress, "answering")
    with closing(answers):
        for row, answer in answers:
            yield questions.prediction(row, answer, name, fingerprint)
