"""The answers that a question names itself: yes and no, or the things of which one is chosen."""

from __future__ import annotations

import re
from itertools import dropwhile, takewhile

YES_NO = ("yes", "no")
_AUXILIARIES = frozenset(
    re.findall(
        r"\S+",
        """is are was were am do does did has have had can could will would shall should may might must
        isn't aren't wasn't weren't doesn't don't didn't hasn't haven't can't couldn't""",
    )
)
_BEFORE = frozenset(
    re.findall(
        r"\S+",
        """a an the this that these those any some of in on at to from by with within as for it its there either more
        you see show shows seem seems look looks appear appears likely used taken done than if when patient's""",
    )
)
"""What stands before a thing or behind it, and is none of its own words."""
_WORD = re.compile(r"[^\W_]+(?:['’\-/][^\W_]+)*")
_CLAUSE_ENDS = re.compile(r"[?:;!]|\.(?!\d)")
_LISTED = re.compile(r"\s*,\s*or\s+|\s*,\s*|\s+or\s+")
_MOST = 3


def alternatives(question: str) -> tuple[str, ...]:
    """Return the answers that ``question`` names, in lower case and in its order; () where it is an open one.

    Two or three things with an "or" between the last of them, each without what stands before it: "Is it on the left or
    on the right?" names left and right. Else yes and no, where the question begins with an auxiliary verb.
    """
    text = " ".join(question.lower().split())
    named = next((things for clause in _CLAUSE_ENDS.split(text) if (things := _things(clause))), ())
    return named or (YES_NO if is_polar(text) else ())


def is_polar(question: str) -> bool:
    """Say whether a question begins as one does that yes or no answers: with an auxiliary verb ("Is/Are", too)."""
    first = _WORD.match(question.strip().lower())
    return first is not None and first[0].split("/")[0] in _AUXILIARIES


def _things(clause: str) -> tuple[str, ...]:
    """The things that a clause lets one choose from; () where it names none, or more than three."""
    head, either, tail = clause.rpartition(" or ")
    if not either:
        return ()
    before = _before(head)
    last = _first_run(_WORD.findall(tail.split(",")[0]))
    names = tuple(" ".join(words) for words in (*(_last_run(words, max(len(last), 1)) for words in before), last))
    return names if all(names) and len(set(names)) == len(names) <= _MOST else ()


def _before(head: str) -> list[list[str]]:
    """The words of each thing before the last "or": parts between commas, the last that belong to one list.

    Behind the first, a part of a list is a thing and no more: "In this view, is it dark or bright?" has none.
    """
    parts = [_WORD.findall(part) for part in _LISTED.split(head.rstrip(" ,")) if part]
    start = next((at for at in range(len(parts) - 1, 0, -1) if _AUXILIARIES & set(parts[at])), 0)
    return parts[start:] or [[]]


def _first_run(words: list[str]) -> list[str]:
    """The first words of a thing's own."""
    own = dropwhile(_BEFORE.__contains__, words)
    return list(takewhile(lambda word: word not in _BEFORE, own))


def _last_run(words: list[str], most: int) -> list[str]:
    """The last words of a thing's own, ``most`` of them: the thing beside it has so many."""
    start = next((at for at in range(len(words), 0, -1) if words[at - 1] in _BEFORE | _AUXILIARIES), 0)
    return words[max(start, len(words) - most) :]
