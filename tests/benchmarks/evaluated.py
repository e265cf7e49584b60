"""How fast a set is answered: in several slots beside one, and beside what reading its pictures and prompts costs.

    python -m tests.benchmarks.evaluated BUNDLE [--slots 8] [--phantoms 2] [--tokens 64]

The set is phantoms, six questions each. Long answers (``--tokens`` each, whatever the model would say) are asked in one
slot and in ``--slots``; what is left of both times without those of one token is decoding. Short ones, of one token,
are held against the sum of what profile measures alone: for each phantom a first token with its picture, for each
further question a first token behind a picture that was read.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.profile.asking import answers, fresh
from edgekit.runtime import Generator, SamplingParams
from edgekit.runtime.model import Model

PER_PHANTOM = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--phantoms", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    asked = phantom_set(questions(PER_PHANTOM * arguments.phantoms))
    with Model.open(arguments.bundle, 1) as one, Model.open(arguments.bundle, arguments.slots) as many:
        seconds(one, asked, 1)
        ratios, decoding, shares = [], [], []
        for _ in range(arguments.rounds):
            long = [seconds(model, asked, arguments.tokens) for model in (one, many)]
            short = [seconds(model, asked, 1) for model in (one, many)]
            bound = reading(many, asked)
            ratios.append(long[0] / long[1])
            decoding.append((long[0] - short[0]) / (long[1] - short[1]))
            shares.append(bound / short[1])
            rates = [f"{len(asked.rows) / taken:.2f}" for taken in (*long, *short, bound)]
            print(f"{arguments.tokens} tokens: {rates[0]} rows/s in 1 slot, {rates[1]} in {arguments.slots}")
            print(f"1 token: {rates[2]} rows/s in 1 slot, {rates[3]} in {arguments.slots}, reading alone {rates[4]}")
    print(f"{arguments.slots} slots beside one, medians: rows/s {statistics.median(ratios):.2f}")
    print(f"what is left of both without a first token: {statistics.median(decoding):.2f}")
    print(f"share of what reading alone gives: {statistics.median(shares):.2f}")


def seconds(model: Model, asked: QuestionSet, tokens: int) -> float:
    """Seconds of asking the whole set by a generator that remembers nothing, and whose answers don't end by
    themselves."""
    anew = replace(model, generator=fresh(model))
    begin = time.perf_counter()
    for each in predictions(anew, "", replace(asked, params=SamplingParams(max_tokens=tokens))):
        assert each.metadata["tokens"] == tokens
    return time.perf_counter() - begin


def reading(model: Model, asked: QuestionSet) -> float:
    """Seconds that the set's prompts take one by one, pictures decoded before: the sum of first tokens."""
    total, generator, seen = 0.0, fresh(model), ""
    for row in asked.rows:
        if row.images[0] != seen:
            generator, seen = fresh(model), row.images[0]
        prompt = model.prompt([Turn(row.question, images=(asked.pictures.picture(row, 0),))])
        total += _first_token_s(generator, prompt)
    return total


def _first_token_s(generator: Generator, prompt: Prompt) -> float:
    (answer,) = answers(generator, [prompt], 1)
    assert answer.completion
    return answer.completion.first_token_ms / 1000


if __name__ == "__main__":
    main()
