"""How long an answer takes: the time to its first token, and the tokens per second after that.

An answer is timed as people get one: prompt, picture, every token's sampling and text included. Nothing is left over
from the answer before: each has a generator of its own, and so neither a picture nor a prefix of the prompt is reused.
An answer has a fixed number of tokens, whatever the model would say: a "yes" is too short to be timed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from edgekit.checkpoint.spec import ModelSpec
from edgekit.inputs.prompt import Turn
from edgekit.runtime import Generator, SamplingParams
from edgekit.runtime.model import Model

TOKENS = 64
_LEAST, _MOST = 3, 25


@dataclass(frozen=True)
class Latency:
    """Medians over some answers: from the question to the first token in ms, and tokens per second after it."""

    first_token_ms: float
    tokens_per_s: float


def latency(model: Model, turns: Sequence[Turn], seconds: float = 1.0) -> Latency:
    """Time answers for about so many seconds (three at least); the model has answered before, so all is warm."""
    answers: list[Latency] = []
    end = time.perf_counter() + seconds
    while len(answers) < _LEAST or (len(answers) < _MOST and time.perf_counter() < end):
        answers.append(timed_answer(model, turns))
    return Latency(median(one.first_token_ms for one in answers), median(one.tokens_per_s for one in answers))


def timed_answer(model: Model, turns: Sequence[Turn], tokens: int = TOKENS) -> Latency:
    """Time one answer of ``tokens`` tokens (fewer where the context ends before); raises its error."""
    began = time.perf_counter()
    prompt = model.prompt(turns)
    prompt_ms = 1000 * (time.perf_counter() - began)
    generator = Generator(model.engine, model.tokenizer, _never_ending(model.bundle.manifest.spec))
    (completion,) = generator.generate([prompt], SamplingParams(max_tokens=tokens))
    if completion.error is not None:
        raise completion.error
    return Latency(prompt_ms + completion.first_token_ms, completion.tokens_per_s)


def _never_ending(spec: ModelSpec) -> ModelSpec:
    return replace(spec, stop_ids=(), template=replace(spec.template, stop=()))
