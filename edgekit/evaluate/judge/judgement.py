"""A line of the file of judgements: what a judge replied to one request, as it came.

The reply is kept, not the scores in it: they are read from it each time. The file belongs to no one run: a request that
it holds the reply to is never made again, whichever bundle the answer is from, and other judges' replies stay in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edgekit.batch.line import Kind
from edgekit.batch.results import Results, results
from edgekit.errors import InputError
from edgekit.evaluate.judge.prompt import Order
from edgekit.evaluate.judge.verdict import Verdict, verdict
from edgekit.vqa.item import Id

_BESIDE = "Judgements lie beside the answers: move that file away, or wait until whoever writes it has ended."


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A reply to the request of this ``digest``.

    * ``question_id``, ``order``: what was asked first with it; ``url``, ``model``: the judge
    * ``reply``: the text; ``refusal`` and ``finish``: as the API has them beside it
    * ``prompt_tokens``, ``completion_tokens``: what it cost; None where the judge doesn't say
    """

    digest: str
    question_id: Id
    order: Order
    url: str
    model: str
    reply: str | None
    refusal: str | None
    finish: str | None
    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def verdict(self) -> Verdict:
        """What the reply says."""
        return verdict(self.reply, self.refusal, self.finish)

    def line(self) -> bytes:
        """Return it as a line of JSON in UTF-8."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def judgements_path(predictions: Path) -> Path:
    """Return where the judgements of a file of predictions lie: beside it, called after it."""
    name = predictions.name.removesuffix(".jsonl").removesuffix(".predictions")
    return predictions.with_name(f"{name}.judgements.jsonl")


@contextmanager
def judgements(path: Path) -> Iterator[Results[Judgement]]:
    """Open a file of judgements, or make it; :class:`~edgekit.errors.InputError` where it holds anything else, or
    another process writes it."""
    with ExitStack() as stack:
        try:
            written = stack.enter_context(results(path, _JUDGEMENTS, lambda line: None))
        except InputError as error:
            raise InputError(error.message, _BESIDE) from None
        yield written


def _never_wrong(judgement: Judgement) -> None:
    """A line always holds a reply; TypeError where its values are of other types, as no file of ours has them."""
    texts = (judgement.reply, judgement.refusal, judgement.finish)
    counts = (judgement.prompt_tokens, judgement.completion_tokens)
    if not all(isinstance(text, str | None) for text in texts) or not all(isinstance(n, int | None) for n in counts):
        raise TypeError


_JUDGEMENTS = Kind(Judgement, "judgements of EdgeKit's", key=lambda line: line.digest, error=_never_wrong)
