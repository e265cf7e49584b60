"""What a judge thinks of bundles' answers, side by side, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.evaluate.judge.judged import Judged
    from edgekit.evaluate.scores import Figure
    from edgekit.vqa.dataset import LeftOut

_NAMED = 10
_LISTS: dict[str, Callable[[Judged], tuple[LeftOut, ...]]] = {
    "refused": lambda judged: judged.refused,
    "unparseable": lambda judged: judged.unparseable,
    "not judged": lambda judged: judged.unjudged,
}


def show_judged(console: Console, judged: Mapping[str, Judged], out: Path) -> None:
    """Show the scores by type and domain, what has none and why, what it cost, and where the judgements are: beside
    ``out``. Nothing where nobody judged."""
    if not judged:
        return
    from edgekit.evaluate.judge.judgement import judgements_path

    each, first = list(judged.values()), next(iter(judged.values()))
    rows = _row("overall", [one.overall for one in each])
    for name in dict.fromkeys(name for one in each for name in one.types):
        rows += _row(name.replace("_", " "), [one.types.get(name) for one in each])
    for name in dict.fromkeys(name for one in each for name in one.domains):
        rows += _row(f"  {name.replace('_', ' ')}", [one.domains.get(name) for one in each])
    for label, listed in _LISTS.items():
        if any(listed(one) for one in each):
            rows.append([label, *(str(len(listed(one))) for one in each)])
    rows.append(["tokens read", *(str(one.tokens.prompt) for one in each)])
    rows.append(["tokens written", *(str(one.tokens.completion) for one in each)])
    if any(one.tokens.untold for one in each):
        rows.append(["replies of unknown cost", *(str(one.tokens.untold) for one in each)])
    orders = "in both orders" if first.swap else "the reference first"
    console.print(f"\nJudged by {first.model} at {first.url}, {orders}; % of the reference's score [95 %] (questions):")
    console.table(["", *judged], rows, right=list(judged))
    for name, one in judged.items():
        _show_lists(console, name, one)
    console.print(f"\nJudgements: {judgements_path(out)}")


def _show_lists(console: Console, name: str, judged: Judged) -> None:
    for label, listed in _LISTS.items():
        left = listed(judged)
        for each in left if console.verbose else left[:_NAMED]:
            console.note(f"{name}, {label}, {each.id!r}: {each.reason}")
        if len(left) > _NAMED and not console.verbose:
            console.note(f"{name}, {label}: {len(left) - _NAMED} more; --verbose names them all")


def _row(label: str, figures: list[Figure | None]) -> list[list[str]]:
    """A row of the table; none where no bundle has a score."""
    if not any(figures):
        return []
    return [[label, *("" if one is None else _cell(one) for one in figures)]]


def _cell(figure: Figure) -> str:
    bounds = "" if figure.interval is None else f" [{figure.interval[0]:.1f}, {figure.interval[1]:.1f}]"
    return f"{figure.percent:.1f}{bounds} ({figure.count})"
