"""What somebody answered to a set: a bundle of ours, or whoever wrote a file of predictions; and what that scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgekit.bundle import Bundle
from edgekit.evaluate.baselines import Baselines, baselines
from edgekit.evaluate.paired import Comparison, compare
from edgekit.evaluate.prediction import Prediction
from edgekit.evaluate.scores import Scores
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Id, Item


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What was answered to a set.

    * ``name`` tells whose answers they are; ``recipe``, ``bytes``, ``digest``: the bundle's, None where it is not known
    * ``dataset``: what was asked; ``predictions``: what came of each question, in the set's order
    * ``texts``: the answers that count, by their questions' ids; an empty one where a model gave none
    """

    name: str
    recipe: str | None = None
    bytes: int | None = None
    digest: str | None = None
    dataset: Dataset
    predictions: tuple[Prediction, ...]
    texts: Mapping[Id, str]

    @property
    def failed(self) -> tuple[Prediction, ...]:
        """The questions without an answer."""
        return tuple(each for each in self.predictions if each.text is None)

    @property
    def given(self) -> dict[Id, str]:
        """The answers that were given, by their questions' ids: of a lost one, no judge thinks anything."""
        lost = {each.question_id for each in self.failed}
        return {id: text for id, text in self.texts.items() if id not in lost}

    @property
    def scored(self) -> tuple[Item, ...]:
        """The questions that count: those that have a text."""
        return tuple(item for item in self.dataset.items if item.id in self.texts)

    @cached_property
    def scores(self) -> Scores:
        """What the answers score."""
        return Scores(self.scored, self.texts)

    @cached_property
    def baselines(self) -> Baselines | None:
        """What answers score that have seen no picture; None where no question counts."""
        return baselines(self.scored) if self.scored else None

    def document(self) -> dict[str, Any]:
        """Return answers and scores as JSON has them, in percent."""
        figures = self.scores.figures
        closed = (
            {"paper": figures["closed_paper"].percent, "llava_med": figures["closed_llava_med"].percent}
            if ("closed_paper" in figures)
            else None
        )
        return {
            "name": self.name,
            "recipe": self.recipe,
            "bytes": self.bytes,
            "digest": self.digest,
            "data": self.dataset.document() | {"failed": len(self.failed)},
            "closed": closed,
            "open_recall": figures["open_recall"].percent if "open_recall" in figures else None,
            **self.scores.document(),
            "baselines": None if self.baselines is None else self.baselines.document(),
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
                "error": each.metadata.get("error"),
                "closed": items[each.question_id].closed,
            }
            for each in self.predictions
        ]


def of_bundle(name: str, bundle: Bundle, dataset: Dataset, predictions: Sequence[Prediction]) -> Answered:
    """Return what a bundle answered.

    A question has an empty text where the model had its picture and gave no answer; one whose picture is gone does not
    count.
    """
    return Answered(
        name=name,
        recipe=bundle.manifest.recipe.name,
        bytes=bundle.bytes,
        digest=bundle.digest,
        dataset=dataset,
        predictions=tuple(predictions),
        texts={each.question_id: each.text or "" for each in predictions if _was_there(each)},
    )


def _was_there(prediction: Prediction) -> bool:
    return prediction.text is not None or len(prediction.metadata["sha256"]) > 0


def comparisons(answered: Sequence[Answered]) -> list[Comparison]:
    """Return each but the first against the first."""
    return [compare(answered[0].name, answered[0].scores, each.name, each.scores) for each in answered[1:]]


def document(answered: Sequence[Answered]) -> dict[str, Any]:
    """Return what one answered, or several beside each other and against the first, as JSON has it."""
    documents = [each.document() for each in answered]
    if len(documents) == 1:
        return documents[0]
    return {"bundles": documents, "comparisons": [each.document() for each in comparisons(answered)]}
