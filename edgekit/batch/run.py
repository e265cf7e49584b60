"""A list asked from its beginning, or from where an earlier run stopped, to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgekit.batch.answer import Answer, Answerer
from edgekit.batch.pictures import Files, Unchanged
from edgekit.batch.results import Result, results
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
    sampling = _sampling(params)
    with results(out, _same(batch, answerer, sampling, out)) as written:
        rows = [row for row in batch.neighbours() if row.id not in written.answered]
        before = len(batch.rows) - len(rows)
        if rows:
            progress("asking", before, len(batch.rows))
        with closing(answerer.answers(rows, params)) as answers:
            for count, (row, answer) in enumerate(answers, before + 1):
                written.add(_result(row, answer, answerer, sampling))
                tokens, lost = tokens + (answer.tokens or 0), lost + (answer.error is not None)
                progress("asking", count, len(batch.rows))
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


def _sampling(params: SamplingParams) -> dict[str, Any]:
    """How answers are drawn, as a line has it."""
    names = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed")
    return {name: getattr(params, name) for name in names} | {"stop": list(params.stop)}


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
            raise _other(out, f"an answer to {result.id!r}, which {batch.source} doesn't ask")
        now = vars(_result(row, Answer(), answerer, sampling))
        different = next((name for name in _ASKED if getattr(result, name) != now[name]), None)
        if different is not None:
            raise _other(out, f"an answer to {result.id!r} of {_WORDS[different]}")
        if not unchanged(row, result.sha256):
            raise _other(out, f"an answer to {result.id!r} about a picture that has changed since")

    return require


def _other(out: Path, reason: str) -> InputError:
    return InputError(f"{out} holds {reason}", "Answers are not mixed: give another file with --out, or ask as before.")
