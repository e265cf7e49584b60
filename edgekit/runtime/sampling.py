"""From logits to the next token: greedy, or drawn from what a chain of filters leaves.

In: the logits of one row. Out: a token id. The filters and their order are those of transformers'
``generate``: repetition penalty → temperature → top-k → top-p → min-p. Each sequence owns its sampler
(and so its random numbers), so an answer depends on its seed and not on what else is in the batch.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.engines.base import Logits
from edgekit.errors import EngineError, InputError
from edgekit.runtime.constraint import Constraint

Ids = npt.NDArray[np.intp]
Weights = npt.NDArray[np.float32]
COLDEST = 1e-6  # a lower temperature is no number any more in float32, and greedy long before
MOST_ALTERNATIVES = 20  # as OpenAI's API has it


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    """How an answer is generated; :class:`InputError` where a value can't be meant.

    * ``max_tokens``: where it is cut at the latest
    * ``temperature``: 0 is greedy (the lowest id wins a tie) and needs no other filter
    * ``top_p``, ``top_k``, ``min_p``, ``repetition_penalty``: filters; 1, 0, 0 and 1 are off
    * ``stop``: the text ends before the first of these strings
    * ``seed``: without, a random one is taken; the completion says which
    * ``logit_bias``: what is added to the logits of single tokens, as pairs of an id and a number
    * ``logprobs``: how many alternatives are told beside each token's probability, 20 at most; None tells neither
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        _whole("max_tokens", self.max_tokens, 1)
        _whole("top_k", self.top_k, 0)
        if self.seed is not None:
            _whole("seed", self.seed, 0)
        if self.logprobs is not None:
            _whole("logprobs", self.logprobs, 0)
            _demand("logprobs", self.logprobs, self.logprobs <= MOST_ALTERNATIVES, f"{MOST_ALTERNATIVES} at most")
        for name in ("temperature", "top_p", "min_p", "repetition_penalty"):
            value: Any = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
                raise InputError(f"{name} is {value!r}", f"{name} must be a number.")
        penalty = self.repetition_penalty
        _demand("temperature", self.temperature, 0 <= self.temperature <= 100, "between 0 (greedy) and 100")
        _demand("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1 (1 is off)")
        _demand("min_p", self.min_p, 0 <= self.min_p <= 1, "between 0 (off) and 1")
        _demand("repetition_penalty", penalty, 0.01 <= penalty <= 100, "between 0.01 and 100 (1 is off)")
        stop: Any = self.stop
        texts = isinstance(stop, tuple) and all(isinstance(text, str) and text for text in stop)
        _demand("stop", stop, texts, "a tuple of strings, none of them empty")
        biases = all(token >= 0 and abs(bias) < math.inf for token, bias in self.logit_bias)
        _demand("logit_bias", self.logit_bias, biases, "pairs of a token's id and a number")


def _whole(name: str, value: Any, least: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _demand(name, value, whole, f"a whole number, {least} or more")


def _demand(name: str, value: object, good: bool, range_text: str) -> None:
    if not good:
        raise InputError(f"{name} is {value!r}", f"{name} must be {range_text}.")


class Sampler:
    """Picks the tokens of one sequence; ``seen`` are the prompt's token ids, for the repetition penalty.

    With a ``constraint``, only from what that allows; what it raises goes on to the caller.
    """

    def __init__(self, params: SamplingParams, seen: Iterable[int] = (), constraint: Constraint | None = None) -> None:
        self.params = params
        self._constraint = constraint
        self.seed = secrets.randbits(32) if params.seed is None else params.seed
        self._seen = set(seen) if params.repetition_penalty != 1 else set()
        self._biased, self._biases = columns(params.logit_bias)

    @property
    def ended(self) -> bool:
        """Whether the constraint lets no other token follow."""
        return self._constraint is not None and self._constraint.ended

    def __call__(self, logits: Logits) -> int:
        """Take the next token for ``logits`` [vocab].

        :class:`EngineError` when they hold NaN or nothing finite, or no token is left that the constraint allows.
        """
        token = int(logits.argmax())  # finds a NaN too, if there is one
        if not math.isfinite(logits[token]):
            raise EngineError(
                f"The model's output is not a number (logit {logits[token]} for token {token})",
                "The bundle may be damaged (edgekit inspect BUNDLE --verify), or its precision too low for this model.",
            )
        if self._constraint is None:
            return self._pick(logits)
        logits = self._constraint.allowed(logits)
        if not math.isfinite(logits.max()):
            raise EngineError(
                "No token can follow in the form that the answer must have", "Ask again without that form."
            )
        token = self._pick(logits)
        self._constraint.accept(token)
        return token

    def _pick(self, logits: Logits) -> int:
        params = self.params
        if params.logit_bias:
            logits = biased(logits, self._biased, self._biases)
        token = int(logits.argmax())
        if params.repetition_penalty != 1:
            logits = penalize(logits, np.fromiter(self._seen, dtype=np.intp), params.repetition_penalty)
            token = int(logits.argmax())
        if params.temperature > 0:
            token = self._draw(*candidates(logits, params))
        if params.repetition_penalty != 1:
            self._seen.add(token)
        return token

    @cached_property
    def _random(self) -> np.random.Generator:
        """Made when it is drawn from: a greedy answer does without, and need not wait for numpy.random's import."""
        return np.random.Generator(np.random.PCG64(self.seed))

    def _draw(self, ids: Ids, weights: Weights) -> int:
        heap = weights.cumsum(dtype=np.float64)
        at = heap.searchsorted(self._random.random() * heap[-1], side="right")
        return int(ids[min(at, len(ids) - 1)])  # random() · total may round up to the total


def columns(biases: Iterable[tuple[int, float]]) -> tuple[Ids, Weights]:
    """Return the ids and the biases of ``logit_bias``, [tokens] each: as many as a vocabulary has are added with every
    token, which one by one held up all the sequences of a step.
    """
    pairs = tuple(biases)
    ids = np.fromiter((token for token, _ in pairs), np.intp, len(pairs))
    return ids, np.fromiter((bias for _, bias in pairs), np.float32, len(pairs))


def biased(logits: Logits, ids: Ids, biases: Weights) -> Logits:
    """Return logits [vocab] with each token's bias added; ids behind the vocabulary are nobody's."""
    inside = ids < len(logits)
    scores: Logits = logits.copy()
    np.add.at(scores, ids[inside], biases[inside])
    return scores


def penalize(logits: Logits, seen: Ids, penalty: float) -> Logits:
    """Return logits [vocab] with those of ``seen`` divided by ``penalty`` (negative ones: multiplied)."""
    seen = seen[seen < len(logits)]
    scores: Logits = logits.copy()
    chosen = logits[seen]
    scores[seen] = np.where(chosen < 0, chosen * np.float32(penalty), chosen / np.float32(penalty))
    return scores


def candidates(logits: Logits, params: SamplingParams) -> tuple[Ids, Weights]:
    """Say which tokens may be drawn, by id, and their probabilities up to a common factor; both [candidates]."""
    with np.errstate(under="ignore", over="ignore"):  # all but the likeliest may become 0
        weights: Weights = np.exp((logits - logits.max()) / np.float32(max(params.temperature, COLDEST)))
    ids: Ids = np.arange(len(weights))
    if 0 < params.top_k < len(weights):
        ids, weights = _at_least(ids, weights, np.partition(weights, -params.top_k)[-params.top_k])
    if params.top_p < 1:
        ids, weights = _nucleus(ids, weights, params.top_p)
    if params.min_p > 0:
        ids, weights = _at_least(ids, weights, np.float32(params.min_p) * weights.max())
    return ids, weights


def _nucleus(ids: Ids, weights: Weights, top_p: float) -> tuple[Ids, Weights]:
    """The likeliest tokens, as few as hold ``top_p`` of the weight (of equal ones the lowest ids).

    A positive float's leading bits order it, so they sort the tokens into bins; only those of the bin at the
    nucleus's border have to be sorted one by one.
    """
    bins = weights.view(np.int32) >> 16
    mass = np.bincount(bins, weights)[::-1]  # float64, heaviest bin first
    through = mass.cumsum()
    wanted = top_p * through[-1]
    at = int(through.searchsorted(wanted))
    border = len(mass) - 1 - at
    some = np.flatnonzero(bins == border)
    some = some[(-weights[some]).argsort(kind="stable")]
    missing = wanted - (through[at] - mass[at])
    count = int(weights[some].cumsum(dtype=np.float64).searchsorted(missing)) + 1
    inside = bins > border
    inside[some[:count]] = True
    keep = np.flatnonzero(inside)
    return ids[keep], weights[keep]


def _at_least(ids: Ids, weights: Weights, least: np.float32) -> tuple[Ids, Weights]:
    keep = np.flatnonzero(weights >= least)
    return ids[keep], weights[keep]
