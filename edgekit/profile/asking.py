"""What is asked while a bundle is measured: phantoms, which every machine can draw, and answers of a fixed length.

An answer is timed as people get one: prompt, picture, every token's sampling and text included. It has a fixed number
of tokens, whatever the model would say: a "yes" is too short to be timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import EngineError
from edgekit.inputs.prompt import Prompt, TextPiece, Turn
from edgekit.runtime import Generator, SamplingParams
from edgekit.runtime.model import Model
from edgekit.runtime.sequence import Sequence as Answer

QUESTIONS = (
    "Describe the image.",
    "Is there a pleural effusion?",
    "Which side is affected?",
    "Is the heart enlarged?",
    "Where do you see the opacity?",
    "What should be looked at first?",
    "Is there a tube or another device?",
    "Are the lungs clear?",
)
_SIZE = 512
"""Pixels of a picture's side. What a large film takes while it is decoded is planned apart, as it comes and goes."""


def draw_pictures(folder: Path, count: int) -> list[Path]:
    """Write ``count`` phantoms as PNG files; no two are alike."""
    from edgekit.phantom import draw, scene  # numpy's random numbers are not for the process that is measured

    paths = []
    for seed in range(count):
        path = folder / f"{seed:02d}.png"
        draw(scene(seed), _SIZE).save(path)
        paths.append(path)
    return paths


def fresh(model: Model) -> Generator:
    """Make a generator that remembers nothing, no picture and no prefix, and whose answers never end by themselves."""
    return Generator(model.engine, model.tokenizer, never_ending(model.bundle.manifest.spec))


def never_ending(spec: ModelSpec) -> ModelSpec:
    return replace(spec, stop_ids=(), template=replace(spec.template, stop=()))


def answers(generator: Generator, prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
    """Ask everything at once and answer to the end; raise the first error."""
    asked = [generator.submit(prompt, SamplingParams(max_tokens=tokens)) for prompt in prompts]
    while generator.busy:
        generator.step()
    for sequence in asked:
        if sequence.completion is None or sequence.completion.error is not None:
            error = sequence.completion.error if sequence.completion else None
            raise error or EngineError("An answer did not end", "Run with --debug for more.")
    return asked


def ask_about(model: Model, turns: Sequence[Turn], tokens: int) -> Answer:
    """Get one answer, by a generator of its own."""
    (answer,) = answers(fresh(model), [model.prompt(turns)], tokens)
    return answer


def fill(model: Model, tokens: int = 8) -> None:
    """Fill every slot's whole context at once: the longest conversations that there can be."""
    engine, vocab = model.engine, model.bundle.manifest.spec.decoder.vocab
    length = engine.context - tokens
    prompts = [Prompt((TextPiece(_text(slot, length, vocab)),)) for slot in range(engine.slots)]
    answers(fresh(model), prompts, tokens)


def _text(slot: int, length: int, vocab: int) -> tuple[int, ...]:
    """Token ids without a pattern (a linear congruence), different from slot to slot so that no prefix is shared."""
    steps = np.arange(length, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(40503 * (slot + 1))
    return tuple(int(value) for value in (steps >> np.uint64(8)) % np.uint64(vocab))
