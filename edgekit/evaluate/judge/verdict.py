"""What a judge's reply says: two scores, or none, because it refused or wrote something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgekit.errors import gist
from edgekit.evaluate.judge.prompt import HIGHEST, LOWEST

FILTERED = "content_filter"
"""The reason for an end by which OpenAI's API says that a filter stopped a reply."""

_CUT = "length"
_SHOWN = 80
_PAIR = re.compile(r"[*`\s]*([0-9]+(?:\.[0-9]+)?)(?:\s*,\s*|\s+)([0-9]+(?:\.[0-9]+)?)[*`.\s]*")
_SORRY = re.compile(
    r"\W*(?:i(?:'|’| a)m (?:very |so )?sorry|sorry|i apologi[sz]e|i(?:'|’| a)m (?:unable|not able)|as an ai\b"
    r"|i (?:can(?:'|’|no| no)t|won(?:'|’)t|must decline|decline|am not allowed)|unfortunately, i)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scores:
    """The scores of Assistant 1 and of Assistant 2, from 1 to 10 each."""

    first: float
    second: float


@dataclass(frozen=True)
class Unscored:
    """A reply without scores: what it is, and why, as people are told."""

    kind: Literal["refused", "unparseable"]
    reason: str


Verdict: TypeAlias = "Scores | Unscored"


def verdict(text: str | None, refusal: str | None, finish: str | None) -> Verdict:
    """Read a reply: its ``text``, the ``refusal`` that the API has beside it, and by what it ended.

    The two scores stand alone on the first line; what else stands there is not guessed at.
    """
    if refusal:
        return Unscored("refused", gist(refusal, _SHOWN))
    if finish == FILTERED:
        return Unscored("refused", "a filter stopped the reply")
    line, *rest = (text or "").strip().splitlines() or [""]
    pair = _PAIR.fullmatch(line)
    if pair is None and _SORRY.match(line):
        return Unscored("refused", gist(line, _SHOWN))
    if not line:
        return Unscored("unparseable", "the reply is empty")
    if pair is None:
        return Unscored("unparseable", f"its first line is {gist(line, _SHOWN)!r}, not two scores")
    if finish == _CUT and not rest:
        return Unscored("unparseable", f"it was cut in its first line, {gist(line, _SHOWN)!r}")
    first, second = float(pair[1]), float(pair[2])
    if not (LOWEST <= first <= HIGHEST and LOWEST <= second <= HIGHEST):
        return Unscored("unparseable", f"{gist(line, _SHOWN)!r} is not from {LOWEST} to {HIGHEST}")
    return Scores(first, second)
