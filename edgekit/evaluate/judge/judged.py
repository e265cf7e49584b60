"""What a judge thinks of answers beside the reference's: the scores of a bundle, by type and by domain.

A question's score is ours divided by the reference's, in percent; a bucket's is the mean of its questions' (LLaVA-Med,
Table 2). Where both orders are asked, each side's two scores are averaged before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edgekit.evaluate.bootstrap import clusters_of, interval
from edgekit.evaluate.judge.judgement import Judgement
from edgekit.evaluate.judge.verdict import Scores, Unscored
from edgekit.evaluate.scores import Figure
from edgekit.vqa.dataset import LeftOut
from edgekit.vqa.item import Id, Item


@dataclass(frozen=True)
class Tokens:
    """What judgements cost; ``untold`` are those whose cost the judge didn't say."""

    prompt: int
    completion: int
    untold: int


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the judge ``model`` at ``url`` thinks of one bundle's answers; ``swap``: whether it was asked both orders.

    Each question of the set is in ``scores`` or in one of the lists: ``refused`` (the judge would not), ``unparseable``
    (it wrote no scores) and ``unjudged`` (it was not asked, or did not reply), by its id and the reason.
    """

    url: str
    model: str
    swap: bool
    items: tuple[Item, ...]
    scores: Mapping[Id, float]
    refused: tuple[LeftOut, ...]
    unparseable: tuple[LeftOut, ...]
    unjudged: tuple[LeftOut, ...]
    tokens: Tokens

    @cached_property
    def overall(self) -> Figure | None:
        """All that was scored; None where nothing was."""
        return self._bucket(self.items)

    @cached_property
    def types(self) -> dict[str, Figure]:
        """By the kind of the question: conversation, detailed description."""
        return self._buckets([item.question_type for item in self.items])

    @cached_property
    def domains(self) -> dict[str, Figure]:
        """By the kind of the picture."""
        return self._buckets([item.modality for item in self.items])

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it, in percent."""
        return {
            "model": self.model,
            "url": self.url,
            "swap": self.swap,
            "overall": None if self.overall is None else self.overall.document(),
            "types": {name: figure.document() for name, figure in self.types.items()},
            "domains": {name: figure.document() for name, figure in self.domains.items()},
            "refused": [asdict(each) for each in self.refused],
            "unparseable": [asdict(each) for each in self.unparseable],
            "unjudged": [asdict(each) for each in self.unjudged],
            "tokens": asdict(self.tokens),
        }

    def _buckets(self, names: Sequence[str]) -> dict[str, Figure]:
        """The buckets that hold scores, in the set's order; questions whose row names none are in none."""
        inside = {
            name: [item for item, of in zip(self.items, names, strict=True) if of == name]
            for name in dict.fromkeys(names)
            if name
        }
        return {name: figure for name, items in inside.items() if (figure := self._bucket(items)) is not None}

    def _bucket(self, items: Iterable[Item]) -> Figure | None:
        scored = [item for item in items if item.id in self.scores]
        if not scored:
            return None
        percents = np.array([self.scores[item.id] for item in scored], np.float64)
        clusters = clusters_of(item.images for item in scored)
        return Figure(float(percents.mean()), interval(percents, clusters), len(scored))


def score(judgements: Sequence[Judgement]) -> float | Unscored:
    """Return a question's score in percent by its judgements, one an order; else why it has none: the first reason."""
    ours: list[float] = []
    reference: list[float] = []
    for judgement in judgements:
        verdict = judgement.verdict
        if not isinstance(verdict, Scores):
            return verdict
        first = judgement.order == "reference-first"
        reference.append(verdict.first if first else verdict.second)
        ours.append(verdict.second if first else verdict.first)
    return 100 * sum(ours) / sum(reference)


def tokens(judgements: Iterable[Judgement]) -> Tokens:
    """Return what judgements cost, each counted once."""
    each = list({judgement.digest: judgement for judgement in judgements}.values())
    told = [(one.prompt_tokens, one.completion_tokens) for one in each]
    return Tokens(
        prompt=sum(prompt or 0 for prompt, _ in told),
        completion=sum(completion or 0 for _, completion in told),
        untold=sum(None in pair for pair in told),
    )


def with_judged(document: dict[str, Any], judged: Mapping[str, Judged]) -> dict[str, Any]:
    """Return the document of an evaluation, of one bundle or of several, with what the judge thinks of each."""
    if "bundles" in document:
        return {**document, "bundles": [with_judged(each, judged) for each in document["bundles"]]}
    return {**document, "judge": judged[document["name"]].document()}
