"""Answers judged: each request is made once, its reply kept as it comes, and what came of all of them scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from edgekit.batch.results import Results
from edgekit.errors import EdgeKitError
from edgekit.evaluate.judge.endpoint import NoReply, Reply
from edgekit.evaluate.judge.figures import Figure
from edgekit.evaluate.judge.judged import Judged, score, tokens
from edgekit.evaluate.judge.judgement import Judgement, judgements
from edgekit.evaluate.judge.prompt import ORDERS, Request, request
from edgekit.evaluate.judge.verdict import Unscored
from edgekit.progress import Progress, silent
from edgekit.vqa.dataset import Dataset, LeftOut
from edgekit.vqa.item import Id, Item

SILENT = 8
"""So many requests in a row without a reply end a run: the endpoint is gone, and the next would wait for nothing."""


class Asked(Protocol):
    """Who is asked: an :class:`~edgekit.evaluate.judge.endpoint.Endpoint`."""

    url: str
    model: str

    def ask(self, request: Request) -> Reply: ...

    def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Judging:
    """How a set's answers are judged: by ``judge``, with what is known of the ``figures``; with ``swap``, in both
    orders, as judges prefer the answer that they read first."""

    judge: Asked
    dataset: Dataset
    figures: Mapping[Id, Figure]
    swap: bool = False

    def requests(self, texts: Mapping[Id, str]) -> dict[Id, dict[str, Request]]:
        """Return what is asked of the answers ``texts``: requests by their digests, by the question."""
        orders = ORDERS if self.swap else ORDERS[:1]
        asked: dict[Id, dict[str, Request]] = {}
        for item in self.dataset.items:
            if self._reason(item, texts) is None:
                made = [request(item, self.figures[item.id], texts[item.id], order) for order in orders]
                asked[item.id] = {each.digest(self.judge.url, self.judge.model): each for each in made}
        return asked

    def judged(self, texts: Mapping[Id, str], lines: Mapping[str, Judgement], failed: Mapping[str, str]) -> Judged:
        """Return what came of the answers ``texts``, by the judgements ``lines``; ``failed`` has, by digest, why others
        are missing."""
        scores: dict[Id, float] = {}
        out: dict[str, list[LeftOut]] = {"refused": [], "unparseable": [], "unjudged": []}
        requests = self.requests(texts)
        for item in self.dataset.items:
            digests = requests.get(item.id, {})
            missing = next((digest for digest in digests if digest not in lines), None)
            if not digests:
                out["unjudged"].append(LeftOut(item.id, self._reason(item, texts) or ""))
            elif missing is not None:
                out["unjudged"].append(LeftOut(item.id, failed[missing]))
            elif isinstance(percent := score([lines[digest] for digest in digests]), Unscored):
                out[percent.kind].append(LeftOut(item.id, percent.reason))
            else:
                scores[item.id] = percent
        replies = [lines[digest] for each in requests.values() for digest in each if digest in lines]
        return Judged(
            url=self.judge.url,
            model=self.judge.model,
            swap=self.swap,
            items=self.dataset.items,
            scores=scores,
            tokens=tokens(replies),
            **{name: tuple(rows) for name, rows in out.items()},
        )

    def _reason(self, item: Item, texts: Mapping[Id, str]) -> str | None:
        """Why an answer can't be judged."""
        if item.id not in texts:
            return "it has no answer"
        figure = self.figures.get(item.id)
        return None if figure is not None and figure.told else "its row says nothing of its figure"


def judge_answers(
    judging: Judging,
    answers: Mapping[str, Mapping[Id, str]],
    path: Path,
    note: Callable[[str], None] = lambda text: None,
    progress: Progress = silent,
) -> dict[str, Judged]:
    """Have the ``answers`` of each bundle, by its name, judged; ``path`` is the file of judgements.

    ``note`` is told, before the first request, what leaves this machine and for where, and then of each request that
    has no reply. :class:`EdgeKitError` where the judge is gone or lets nobody in: what was judged stays, and the next
    run goes on.
    """
    requests: dict[str, Request] = {}
    for texts in answers.values():
        for by_digest in judging.requests(texts).values():
            requests |= by_digest
    with judgements(path) as file:
        failed = _ask(judging.judge, requests, file, note, progress)
        return {name: judging.judged(texts, _lines(file), failed) for name, texts in answers.items()}


def _lines(file: Results[Judgement]) -> dict[str, Judgement]:
    return {line.digest: line for line in file.lines.values()}


def _ask(
    judge: Asked,
    requests: Mapping[str, Request],
    file: Results[Judgement],
    note: Callable[[str], None],
    progress: Progress,
) -> dict[str, str]:
    """Make the requests that ``file`` holds no reply to; returns why some have none."""
    left = {digest: each for digest, each in requests.items() if digest not in file.lines}
    before = len(requests) - len(left)
    failed: dict[str, str] = {}
    silence = 0
    if left:
        leaving = f"Questions, captions and answers leave this machine for {judge.url}"
        note(f"{leaving}: {len(left)} requests to {judge.model}")
        progress("judging", before, len(requests))
    for done, (digest, each) in enumerate(left.items(), before + 1):
        try:
            reply = judge.ask(each)
        except NoReply as error:
            note(f"No reply about {each.question_id!r}: {error.message}")
            failed[digest] = error.message
            silence += 1
            if silence == SILENT:
                raise _gone(judge.url, error, file.path) from None
        else:
            silence = 0
            file.add(_judgement(judge, digest, each, reply))
        progress("judging", done, len(requests))
    return failed


def _judgement(judge: Asked, digest: str, asked: Request, reply: Reply) -> Judgement:
    return Judgement(
        digest=digest,
        question_id=asked.question_id,
        order=asked.order,
        url=judge.url,
        model=judge.model,
        **asdict(reply),
    )


def _gone(url: str, last: NoReply, path: Path) -> EdgeKitError:
    return EdgeKitError(
        f"The judge at {url} gave no reply to {SILENT} requests in a row; the last: {last.message}",
        f"What was judged is kept in {path}; the same command goes on from there.",
    )
