"""What a model's record says of each of its answers, for whoever shows them: ``ask`` and the service.

Where a bundle has no record, or one that is another's, nothing is asked of the model beside its answer, and nothing
said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.confidence.of_answer import LOGPROBS, AnswerConfidence
from edgekit.confidence.pictures import features_of
from edgekit.confidence.record import Confidence, Verdict, read
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.model import Model


@dataclass(frozen=True)
class ModelConfidence:
    """A model's ``record``, held against its answers."""

    record: Confidence

    @classmethod
    def of(cls, model: Model) -> ModelConfidence | None:
        """Return it for an open model, whose completions have what it takes from now on; None without a
        record."""
        record = read(model.bundle)
        if record is None:
            return None
        if record.pictures is not None:
            model.generator.pool_images(features_of)
        return cls(record)

    def params(self, params: SamplingParams) -> SamplingParams:
        """Return ``params`` by which an answer tells how likely its tokens were; as they are where they say so."""
        return params if params.logprobs is not None else replace(params, logprobs=LOGPROBS)

    def verdict(self, question: str, completion: Completion) -> Verdict:
        """Say what an answer to ``question`` is worth."""
        answer = AnswerConfidence.of(question, completion.logprobs)
        return self.record.judge(answer, [each for each in completion.pooled if each is not None])

    def notes(self, question: str, completion: Completion) -> list[str]:
        """Say in whole sentences what people should know of an answer: nothing where nothing speaks against it."""
        return sentences(self.verdict(question, completion)) if completion.error is None else []


def sentences(verdict: Verdict | None) -> list[str]:
    """Return a verdict in whole sentences, each with what it rests on; none where nothing speaks against an answer."""
    said: list[str] = []
    if verdict is None:
        return said
    if verdict.low:
        said.append(f"Low confidence: nothing is promised of answers as unsure as this one. Tried on {verdict.data}.")
    if verdict.unlike:
        said.append(
            "The picture is unlike those that this model was tried on: do not rely on what it says of it. "
            f"Tried on {verdict.data}."
        )
    return said
