"""The options by which ``edgekit evaluate`` has answers judged, and what is said before they leave this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.groups import group
from edgekit.console import Console
from edgekit.errors import EdgeKitError

if TYPE_CHECKING:
    from edgekit.evaluate.answered import Answered
    from edgekit.evaluate.judge.judged import Judged
    from edgekit.evaluate.judge.judging import Judging
    from edgekit.vqa.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who judges, if anybody: an endpoint's URL, its model, and whether both orders are asked."""

    judge: str | None
    judge_model: str | None
    judge_swap: bool

    @property
    def wanted(self) -> bool:
        """Whether answers are judged; :class:`click.UsageError` for options that don't go together."""
        if self.judge is None and (self.judge_model is not None or self.judge_swap):
            raise click.UsageError("say which endpoint judges by --judge URL")
        if self.judge is not None and self.judge_model is None:
            raise click.UsageError("say which model judges by --judge-model, as the endpoint calls it")
        return self.judge is not None

    def judging(self, dataset: Dataset) -> Judging | None:
        """Return how the answers to a set are judged, before any is given; None where they are not."""
        if not self.wanted:
            return None
        from edgekit.evaluate.judge.endpoint import Endpoint, key_here
        from edgekit.evaluate.judge.figures import figures_of
        from edgekit.evaluate.judge.judging import Judging

        assert self.judge is not None
        assert self.judge_model is not None
        figures = figures_of(dataset)
        endpoint = Endpoint(self.judge, self.judge_model, key=key_here())
        return Judging(judge=endpoint, dataset=dataset, figures=figures, swap=self.judge_swap)


judge_options = group(
    "judge",
    Judge,
    click.option("--judge", metavar="URL", help="Have a conversation set's answers judged by this endpoint."),
    click.option("--judge-model", metavar="M", help="The model that judges there; its key is in EDGEKIT_JUDGE_KEY."),
    click.option("--judge-swap", is_flag=True, help="Judge each answer in both orders, and take the mean."),
)
"""A command's function gets a :class:`Judge` as ``judge``."""


def judge_all(console: Console, judging: Judging | None, answered: Sequence[Answered], out: Path) -> dict[str, Judged]:
    """Have each one's answers judged; empty where nobody judges. Judgements lie beside ``out``, the answers' file."""
    if judging is None:
        return {}
    from edgekit.evaluate.judge.judgement import judgements_path
    from edgekit.evaluate.judge.judging import judge_answers

    with closing(judging.judge), console.progress() as progress:
        texts = {each.name: each.given for each in answered}
        return judge_answers(judging, texts, judgements_path(out), console.note, progress)


def judged_document(document: dict[str, Any], judged: Mapping[str, Judged]) -> dict[str, Any]:
    """Return the document of an evaluation with what the judge thinks of each bundle, if it was asked."""
    if not judged:
        return document
    from edgekit.evaluate.judge.judged import with_judged

    return with_judged(document, judged)


def require_judged(judged: Mapping[str, Judged]) -> None:
    """Raise :class:`EdgeKitError`, at a run's end, where answers have no judgement."""
    count = sum(len(each.unjudged) for each in judged.values())
    if count:
        raise EdgeKitError(
            f"{count} of {sum(len(each.items) for each in judged.values())} answers are not judged",
            "The table and --json say why; the same command asks for what is missing.",
        )
