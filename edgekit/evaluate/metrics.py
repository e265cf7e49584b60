"""The scores that the literature on medical visual question answering reports: closed accuracy and open recall.

Sources: the evaluation code of LLaVA-Med, which takes its normal form of a text from the VQA challenge. Two ways to
score closed questions are in use, and differ by points; both are computed, under their names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

NormalForm = Literal["edgekit", "paper"]
"""How many periods the normal form strips: all of them, or as the reference does the first 32."""

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_THOUSANDS = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
_STRIPPED = {"edgekit": 0, "paper": 32}  # 0: all
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = {"none": "0"} | {word: str(number) for number, word in enumerate(_NUMBERS)}
_ARTICLES = ("a", "an", "the")
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've must've mustn't needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
    what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've
"""
# A contraction lacking one apostrophe gets it back. The one that loses its own is so in the reference.
_WHOLE = {
    word[:at] + word[at + 1 :]: word
    for word in _CONTRACTIONS.split()
    for at, letter in enumerate(word)
    if letter == "'"
} | {"somebody'd": "somebodyd"}


@dataclass(frozen=True)
class Closed:
    """Closed questions answered rightly, in percent: :func:`closed_paper` and :func:`closed_llava_med`."""

    paper: float
    llava_med: float


@dataclass(frozen=True)
class Metrics:
    """``closed`` over the closed questions, ``open_recall`` the mean of :func:`recall` over the open ones, in percent.

    None where nothing of that kind was asked.
    """

    closed: Closed | None
    open_recall: float | None


def measure(
    closed: Iterable[tuple[str, str]], open_ended: Iterable[tuple[str, str]], form: NormalForm = "edgekit"
) -> Metrics:
    """Return the metrics of pairs of (right answer, given answer); every pair counts, also where nothing was
    answered."""
    pairs = list(closed)
    recalls = [recall(gold, text, form) for gold, text in open_ended]
    return Metrics(
        Closed(
            _percent([closed_paper(gold, text) for gold, text in pairs]),
            _percent([closed_llava_med(gold, text, form) for gold, text in pairs]),
        )
        if pairs
        else None,
        _percent(recalls) if recalls else None,
    )


def closed_paper(gold: str, text: str) -> bool:
    """Say whether the right answer stands in the text, case aside, if only as a part of a word."""
    return gold.lower() in text.lower()


def closed_llava_med(gold: str, text: str, form: NormalForm = "edgekit") -> bool:
    """Do as :func:`closed_paper` in normal form, of texts that hold "yes" or "no", if only as a part of a word.

    An either-or question, answered by one of the things that it names, is so counted as wrong.
    """
    said = normal(text, form)
    return ("yes" in said or "no" in said) and normal(gold, form) in said


def recall(gold: str, text: str, form: NormalForm = "edgekit") -> float:
    """Return how much of the right answer's words the text has, from 0 to 1.

    tp / (tp + fn): tp counts the words of the *text* that the right answer has too, fn those of the right answer
    that the text lacks. So a text that repeats a right word gains by it: the reference counts in this way.
    """
    wanted, said = Counter(normal(gold, form).split()), Counter(normal(text, form).split())
    matched = sum(times for word, times in said.items() if word in wanted)
    missed = sum(times for word, times in wanted.items() if word not in said)
    return matched / (matched + missed) if matched else 0.0


def exact(gold: str, text: str, form: NormalForm = "edgekit") -> bool:
    """Say whether both are the same in normal form; nothing is not the same as nothing."""
    wanted = normal(gold, form)
    return wanted != "" and wanted == normal(text, form)


def token_f1(gold: str, text: str, form: NormalForm = "edgekit") -> float:
    """Return the harmonic mean of precision and recall of the words in normal form, from 0 to 1.

    A word counts as often as it stands in both (P. Rajpurkar et al., SQuAD, 2016): unlike :func:`recall`, which a text
    gains by that names everything, this is 1 for the same words alone.
    """
    wanted, said = Counter(normal(gold, form).split()), Counter(normal(text, form).split())
    shared = (wanted & said).total()
    return 2 * shared / (wanted.total() + said.total()) if shared else 0.0


def normal(text: str, form: NormalForm = "edgekit") -> str:
    """Return the normal form of the VQA challenge: punctuation, case, number words, articles and contractions evened
    out.

    A punctuation mark that touches a space anywhere in the text goes without a trace, else it leaves a space; where
    the text has a number with a comma, all marks go without a trace. A period stays before a digit.
    """
    without = text
    for mark in _PUNCTUATION:
        touches = f"{mark} " in text or f" {mark}" in text or _THOUSANDS.search(text)
        without = without.replace(mark, "" if touches else " ")
    words = [_DIGITS.get(word, word) for word in _PERIOD.sub("", without, count=_STRIPPED[form]).lower().split()]
    return " ".join(_WHOLE.get(word, word) for word in words if word not in _ARTICLES)


def _percent(values: list[bool] | list[float]) -> float:
    return 100 * sum(values) / len(values)
