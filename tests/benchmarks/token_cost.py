"""What a token costs beside the model's own step: its probabilities, and a schema that holds it.

    python -m tests.benchmarks.token_cost

For a vocabulary of 32,000, trained here on words made up of syllables. A made-up model with equal liking for every
token answers by each schema; prints medians and 90th percentiles in microseconds.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from edgekit.runtime.logprob_stream import LogprobStream
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.text import TextStream
from edgekit.serve.grammar import SchemaCompiler
from edgekit.serve.grammars import ANY_OBJECT
from tests.schemas import ASKED

VOCAB, STEPS = 32_000, 2_000
REPORT = {
    "type": "object",
    "properties": {f"section{number}": {"type": "string", "maxLength": 200} for number in range(100)},
    "additionalProperties": False,
}


def main() -> None:
    tokenizer = vocabulary()
    rows = np.random.default_rng(0).normal(scale=3, size=(16, VOCAB)).astype(np.float32)
    tell("the likeliest token", sampled(SamplingParams(), rows))
    tell("one drawn, top_p 0.9", sampled(SamplingParams(temperature=0.7, top_p=0.9, seed=1), rows))
    tell("its text", said(TextStream(tokenizer, ()), rows))
    for count in (0, 5, 20):
        tell(f"its text and probability, {count} alternatives", said(LogprobStream(tokenizer, (), count), rows))
    begin = time.perf_counter()
    compiler = SchemaCompiler(tokenizer, VOCAB, [0])
    print(f"reading the vocabulary, once: {time.perf_counter() - begin:.2f} s")
    schemas: dict[str, Any] = {"any object": ANY_OBJECT, "100 strings": REPORT}
    schemas |= {name: asked.schema for name, asked in ASKED.items()}
    for name, schema in schemas.items():
        masked(name, compiler, schema, rows)


def vocabulary() -> Tokenizer:
    """A byte-level tokenizer of :data:`VOCAB` tokens."""
    chosen = random.Random(0)
    syllables = ["".join(parts) for parts in product("bcdfghjklmnprstvwz", "aeiou", ["", *"nrstl"])]
    words = ["".join(chosen.choices(syllables, k=chosen.randint(1, 4))) for _ in range(60_000)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["</s>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator((" ".join(chosen.choices(words, k=30)) for _ in range(20_000)), trainer)
    return tokenizer


def sampled(params: SamplingParams, rows: Any) -> list[float]:
    sampler = Sampler(params)
    return [microseconds(partial(sampler, row)) for row in [*rows] * (STEPS // len(rows))]


def said(stream: TextStream, rows: Any) -> list[float]:
    def say(token: int, row: Any) -> None:
        stream.weigh(token, row)
        stream.push(token)
        stream.take()

    tokens = np.random.default_rng(1).integers(300, VOCAB, STEPS)
    return [microseconds(partial(say, int(tokens[at]), rows[at % len(rows)])) for at in range(STEPS)]


def masked(name: str, compiler: SchemaCompiler, schema: Any, rows: Any) -> None:
    """Compile, then answer again and again."""
    begin = time.perf_counter()
    grammar = compiler.compile(json.dumps(schema))
    print(f"{name}: compiled in {1000 * (time.perf_counter() - begin):.1f} ms")
    constraint, masks, steps = grammar.constraint(), [], []
    draw = Sampler(SamplingParams(temperature=1.5, seed=2))
    for at in range(STEPS):
        begin = time.perf_counter()
        allowed = constraint.allowed(rows[at % len(rows)])
        masks.append(1e6 * (time.perf_counter() - begin))
        token = draw(allowed)
        steps.append(microseconds(partial(constraint.accept, token)))
        if constraint.ended:
            constraint = grammar.constraint()
    tell("  what may come, and no other's logits", masks)
    tell("  the step", steps)


def microseconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return 1e6 * (time.perf_counter() - begin)


def tell(name: str, taken: list[float]) -> None:
    print(f"{name}: median {np.median(taken):.1f} µs, 90th percentile {np.quantile(taken, 0.9):.0f} µs")


if __name__ == "__main__":
    main()
