"""A list asked from its beginning, or from where an earlier run stopped, to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgekit.batch.answer import Answer, Answerer
from edgekit.batch.asking import ask_rest, sampling_of
from edgekit.batch.pictures import Files, Unchanged
from edgekit.batch.result import RESULTS, Result
from edgekit.batch.results import mixed, results
from edgekit.batch.rows import Batch, Row
from edgekit.errors import InputError
from edgekit.progress import Progress, silent
from edgekit.runtime import SamplingParams
from edgekit.vqa.item import Id

_ASKED = ("question", "images", "model", "fingerprint", "sampling")
_WORDS = {
    "question": "another question",
    "images": "other pictures",
    "model": "another model",
    "fingerprint": "another bundle",
    "sampling": "other options",
}


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What came of a run: its ``rows`` have an answer in ``out``, ``answered_before`` of them by earlier runs, or have
    ``failed``; ``tokens`` were written in ``seconds`` by this one."""

    out: Path
    model: str
    fingerprint: str | None
    rows: int
    answered: int
    answered_before: int
    failed: int
    tokens: int
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON has it."""
        return asdict(self) | {"out": str(self.out), "seconds": round(self.seconds, 3)}


def run(
    batch: Batch, answerer: Answerer, params: SamplingParams, out: Path | None = None, progress: Progress = silent
) -> Summary:
    """Ask every row that has no answer in ``out`` yet (None: the list's own place), and write each answer as it comes.

    :class:`InputError`, before anything is asked, where ``out`` holds answers to other questions, about other pictures,
    of another model or by other options; :class:`EdgeKitError` where no row can be answered any more.
    """
    out = batch.out if out is None else out
    if out.exists() and out.samefile(batch.source):
        raise InputError(f"{out} is the list itself", "Give another file with --out.")
    started, tokens, lost = time.monotonic(), 0, 0
    sampling = sampling_of(params)
    with results(out, RESULTS, _same(batch, answerer, sampling, out)) as written:
        before = len(written.answered)
        with closing(ask_rest(batch.neighbours(), written.answered, answerer, params, progress)) as answers:
            for row, answer in answers:
                written.add(_result(row, answer, answerer, sampling))
                tokens, lost = tokens + (answer.tokens or 0), lost + (answer.error is not None)
    return Summary(
        out=out,
        model=answerer.model,
        fingerprint=answerer.fingerprint,
        rows=len(batch.rows),
        answered=len(batch.rows) - lost,
        answered_before=before,
        failed=lost,
        tokens=tokens,
        seconds=time.monotonic() - started,
    )


def _result(row: Row, answer: Answer, answerer: Answerer, sampling: dict[str, Any]) -> Result:
    return Result(
        id=row.id,
        question=row.question,
        images=list(row.images),
        model=answerer.model,
        fingerprint=answerer.fingerprint,
        sampling=sampling,
        sha256=list(answer.sha256),
        text=answer.text,
        reason=answer.reason,
        tokens=answer.tokens,
        seed=answer.seed,
        notes=list(answer.notes),
        error=answer.error,
    )


def _same(batch: Batch, answerer: Answerer, sampling: dict[str, Any], out: Path) -> Callable[[Result], None]:
    """What refuses an answer that is not to what would be asked now."""
    rows: dict[Id, Row] = {row.id: row for row in batch.rows}
    unchanged = Unchanged(Files())

    def require(result: Result) -> None:
        row = rows.get(result.id)
        if row is None:
            raise mixed(out, f"an answer to {result.id!r}, which {batch.source} doesn't ask")
        now = vars(_result(row, Answer(), answerer, sampling))
        different = next((name for name in _ASKED if getattr(result, name) != now[name]), None)
        if different is not None:
            raise mixed(out, f"an answer to {result.id!r} of {_WORDS[different]}")
        if not unchanged(row, result.sha256):
            raise mixed(out, f"an answer to {result.id!r} about a picture that has changed since")

    return require
