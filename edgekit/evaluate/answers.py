"""Whether an answer about a phantom is right. There is one right answer, so nothing is left to a judge's leniency."""

from __future__ import annotations

import re
from collections import Counter

from edgekit.phantom.questions import Question
from edgekit.phantom.scene import SIDES, ZONES, Finding
from edgekit.phantom.words import NOUNS, place

_SENTENCE = re.compile(r"there (?:is|are) (.+)")
_NEXT = re.compile(r", and |, | and ")


def correct(question: Question, text: str) -> bool:
    """Say whether ``text`` answers ``question``: the whole answer, not a part of it.

    A closed or open answer has to be equal, up to case, articles, final punctuation and spaces. A description has
    to name exactly the findings that are there, each with its place, in any order and by any of its nouns.
    """
    if question.form == "description":
        return _findings(text) is not None and _findings(text) == _findings(question.answer)
    return normal(text) == normal(question.answer)


def names_every_finding(question: Question, text: str) -> bool:
    """Say whether ``text`` names every finding of a description's answer, wherever it puts it.

    What it names beside those is not counted against it: whether a description is right, :func:`correct` says. Of a
    phantom without findings it has to say just that.
    """
    wanted = _named(question.answer)
    return wanted <= _named(text) if wanted else correct(question, text)


def normal(text: str) -> str:
    """Return ``text`` in lower case, with single spaces, without articles and punctuation at the end."""
    words = text.lower().rstrip(" \t\n.,;:!?").split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))


def _phrases() -> dict[str, str]:
    """Every way to say what is where, without articles, and the first of those that mean the same."""
    phrases: dict[str, str] = {}
    for kind, nouns in NOUNS.items():
        places = (
            [""] if kind == "heart" else [f" {place(Finding(kind, side, zone))}" for side in SIDES for zone in ZONES]
        )
        phrases |= {normal(noun + place_): normal(nouns[0] + place_) for noun in nouns for place_ in places}
    return phrases


_PHRASES = _phrases()


def _findings(text: str) -> Counter[str] | None:
    """The findings that a description names, with their places; None where it is no such sentence."""
    sentence = _SENTENCE.fullmatch(normal(text))
    if sentence is None:
        return None
    if sentence[1] == "no findings":
        return Counter()
    items = _NEXT.split(sentence[1])
    return Counter(_PHRASES[item] for item in items) if all(item in _PHRASES for item in items) else None


def _named(text: str) -> set[str]:
    words = f" {re.sub(r'[^a-z]+', ' ', text.lower())} "
    return {kind for kind, nouns in NOUNS.items() if any(f" {noun} " in words for noun in nouns)}
