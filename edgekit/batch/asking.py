"""Rows that have no answer yet, asked; and how answers are drawn, as their lines have it."""

from __future__ import annotations

from collections.abc import Container, Generator, Hashable, Sequence
from contextlib import closing
from typing import Any

from edgekit.batch.answer import Answer, Answerer
from edgekit.batch.rows import Row
from edgekit.progress import Progress, silent
from edgekit.runtime import SamplingParams

_DRAWN = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed")


def ask_rest(
    rows: Sequence[Row],
    answered: Container[Hashable],
    answerer: Answerer,
    params: SamplingParams,
    progress: Progress = silent,
    stage: str = "asking",
) -> Generator[tuple[Row, Answer], None, None]:
    """Yield what comes of each row whose id is not among those ``answered``, as it comes.

    Progress counts all rows, so that a run that is gone on with begins where it stopped. Raises what ``answerer`` does;
    closing the iterator ends what still runs.
    """
    left = [row for row in rows if row.id not in answered]
    before = len(rows) - len(left)
    if left:
        progress(stage, before, len(rows))
    with closing(answerer.answers(left, params)) as answers:
        for count, each in enumerate(answers, before + 1):
            yield each
            progress(stage, count, len(rows))


def sampling_of(params: SamplingParams) -> dict[str, Any]:
    """Return how answers are drawn: what decides them, and nothing that is only told beside them."""
    return {name: getattr(params, name) for name in _DRAWN} | {"stop": list(params.stop)}
