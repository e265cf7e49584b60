"""What comes of a row, and what gives it: a bundle that is open here, or a service elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgekit.batch.rows import Row
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.errors import EdgeKitError
from edgekit.runtime import SamplingParams


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes of a row.

    * ``sha256``: of each picture's file, as it was read
    * ``text``, the ``reason`` why it ended ("stop", "length"), its ``tokens``, the ``seed`` used (None: not told), and
      ``notes`` on how pictures were read
    * ``confidence``: how sure the model was, where its tokens' probabilities were asked for
    * ``error``: why there is no text, where there is none
    """

    sha256: tuple[str, ...] = ()
    text: str | None = None
    reason: str | None = None
    tokens: int | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    confidence: AnswerConfidence | None = None
    error: str | None = None


class Answerer(Protocol):
    """What gives answers: a ``model`` by its name, and the ``fingerprint`` of its bundle where one is told."""

    model: str
    fingerprint: str | None

    def answers(self, rows: Sequence[Row], params: SamplingParams) -> Generator[tuple[Row, Answer], None, None]:
        """Yield what comes of each row, in the order in which it comes.

        What is wrong with a row is its answer's ``error``; :class:`EdgeKitError` where no row can be answered (any
        more). Closing the iterator ends what still runs.
        """


def failed(error: EdgeKitError, digests: Sequence[str] = ()) -> Answer:
    """Return what comes of a row that has no answer, in one line."""
    return Answer(sha256=tuple(digests), error=str(error).replace("\n", ". ", 1))
