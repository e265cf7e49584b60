"""How sure a model was of an answer, by the probabilities of its tokens.

Figures are rounded to hundredths of a nat. The last bits of a logit may depend on how many rows an engine has (of the
embedded model in 4 bits on a processor, a margin by up to 0.00008 with one slot, and by nothing with any number above,
whatever stands beside a row), and a file of predictions is to have the same bytes after a stop and over any number of
workers.

Two figures: the length-normalised log-probability of the answer, which every answer has, and for a question that names
its answers the margin between the one that was given and the best of the others (:mod:`.alternatives`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.confidence.alternatives import YES_NO, alternatives, is_polar
from edgekit.runtime.logprobs import TokenLogprob

LOGPROBS = 20
"""How many likeliest tokens have to be told at each place, so that an alternative stands among them."""
_OPENING = re.compile(r"^\s*(?:(?:it|is|on|in|at|a|an|the)\s+)*")
_MOST = 12.0  # log-odds and log-probabilities are cut there: beyond 160,000 to 1 a model's word is no figure
_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class AnswerConfidence:
    """How sure a model was of an answer.

    * ``logprob``: the mean of its tokens' log-probabilities, in nats
    * ``alternatives``: the answers that the question names, () for an open one
    * ``margin``: by how many nats the first token of the answer that was given is likelier than that of the likeliest
      other alternative; None where the question is open, or another answer than any of them was given
    * ``score``: what answers are ordered by, from 0 to 1: with a margin, the probability of the given answer among the
      alternatives; else the mean probability of a token
    """

    logprob: float
    margin: float | None
    alternatives: tuple[str, ...]
    score: float

    @classmethod
    def of(cls, question: str, tokens: Sequence[TokenLogprob]) -> AnswerConfidence | None:
        """Return it for the answer to ``question`` that ``tokens`` are; None where it is empty: nothing was said."""
        if not tokens:
            return None
        named, given = _given(question, "".join(token.text for token in tokens))
        logprob = max(-_MOST, math.fsum(token.logprob for token in tokens) / len(tokens))
        margin = None if given is None else _margin(named, given, tokens)
        return cls(
            logprob=round(logprob, _DIGITS),
            margin=None if margin is None else round(margin, _DIGITS),
            alternatives=named,
            score=_score(_log_odds(logprob) if margin is None else margin),
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "logprob": self.logprob,
            "margin": self.margin,
            "alternatives": list(self.alternatives) or None,
            "score": self.score,
        }

    @classmethod
    def read(cls, document: dict[str, Any]) -> AnswerConfidence:
        """Return what :meth:`document` wrote."""
        return cls(**{**document, "alternatives": tuple(document["alternatives"] or ())})


def _log_odds(logprob: float) -> float:
    """Of a probability by its logarithm; cut where nothing is left of the other one."""
    return _MOST if logprob >= 0 else logprob - math.log(-math.expm1(logprob))


def _score(log_odds: float) -> float:
    """A probability from log-odds in hundredths: as finely told near 1, where most answers are, as elsewhere."""
    return round(1 / (1 + math.exp(-round(min(max(log_odds, -_MOST), _MOST), _DIGITS))), 9)


def _given(question: str, text: str) -> tuple[tuple[str, ...], str | None]:
    """The alternatives that a question names, and which of them was given: yes or no, too, where a question with an
    "or" in it was understood so."""
    named, said = alternatives(question), _OPENING.sub("", text.lower())
    for names in (named, YES_NO) if named and is_polar(question) else (named,):
        for name in names:
            if re.match(rf"{re.escape(name)}\b", said) or (said and re.match(rf"{re.escape(_word(said))}\b", name)):
                return names, name
    return named, None


def _word(said: str) -> str:
    """The first word, for which "lower" is what "lower zone" names."""
    return re.split(r"[\s.,;:!?]", said, maxsplit=1)[0]


def _margin(named: Sequence[str], given: str, tokens: Sequence[TokenLogprob]) -> float:
    """In nats, over the likeliest of the other alternatives."""
    text = "".join(token.text for token in tokens)
    start = len(text) - len(_OPENING.sub("", text.lower()))
    margin = min(_against(name, given, start, tokens) for name in named if name != given)
    return min(max(margin, -_MOST), _MOST)


def _against(other: str, given: str, start: int, tokens: Sequence[TokenLogprob]) -> float:
    """By how many nats the token that parts ``given`` from ``other`` is likelier than the likeliest one that would have
    led to the other; where that is not told, than the least likely that is told: it is less likely still.

    ``start``: where the answer names what is given, behind "on the" and the like.
    """
    at = 0
    for token in tokens:
        before = max(0, at - start)  # letters of the given one that stand already
        at += len(token.text)
        if at <= start or other.startswith(given[: at - start]):
            continue
        leading = [top.logprob for top in token.top if _leads(top.text.lower(), other[before:], given[before:])]
        return token.logprob - max(leading or [top.logprob for top in token.top][-1:] or [-_MOST])
    return 0.0  # one begins with the other: nothing parts them


def _leads(text: str, other: str, given: str) -> bool:
    """Whether a token goes on to ``other``, and not to ``given``."""
    word = text.lstrip() if other[:1] != " " else text
    begins = bool(word) and (other.startswith(word) or (word.startswith(other) and not word[len(other) :].isalpha()))
    return begins and not given.startswith(word)
