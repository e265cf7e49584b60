"""How fast a set is answered: in several slots beside one, and beside what reading its pictures and prompts costs.

    python -m tests.benchmarks.evaluated BUNDLE [--slots 8] [--phantoms 2] [--tokens 64]

The set is phantoms, six questions each. Long answers (``--tokens`` each, whatever the model would say) are asked in one
slot and in ``--slots``. Short ones, of one token, are held against the sum of what profile measures alone: for each
phantom a first token with its picture, for each further question a first token behind a picture that was read.
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
    with Model.open(arguments.bundle, arguments.slots) as many:
        with Model.open(arguments.bundle, 1) as one:
            seconds(one, asked, 1)
            ratios = []
            for _ in range(arguments.rounds):
                alone, together = (seconds(model, asked, arguments.tokens) for model in (one, many))
                ratios.append(alone / together)
                rates = [len(asked.rows) / taken for taken in (alone, together)]
                print(
                    f"{arguments.tokens} tokens: {rates[0]:.2f} rows/s in 1 slot, {rates[1]:.2f} in {many.engine.slots}"
                )
            print(f"ratio, median of pairs: {statistics.median(ratios):.2f}")
        shares = []
        for _ in range(arguments.rounds):
            bound, taken = reading(many, asked), seconds(many, asked, 1)
            shares.append(bound / taken)
            print(f"1 token: {len(asked.rows) / taken:.2f} rows/s, reading alone {len(asked.rows) / bound:.2f}")
        print(f"share of what reading alone gives, median: {statistics.median(shares):.2f}")


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
