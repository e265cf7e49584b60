"""What a generator tells of its requests, step by step: more text, and the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edgekit.runtime.logprobs import TokenLogprob
from edgekit.runtime.sequence import Completion, Sequence


@dataclass(frozen=True)
class TextDelta:
    """More of a sequence's text; never empty, unless its last tokens have none and their ``logprobs`` were asked for.

    Then it comes in whole tokens, whose texts join to ``text``.
    """

    sequence: Sequence
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class Finished:
    """The last event of a sequence."""

    sequence: Sequence
    completion: Completion


Event: TypeAlias = TextDelta | Finished
