"""What a model is shown to learn how it computes: examples of the user's, or phantoms, as prompts with answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.tokenizer import parse_tokenizer
from edgekit.inputs.examples import Example
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Prompt, Turn, build
from edgekit.phantom import ask, draw, scene
from edgekit.phantom.split import SEEDS

_log = logging.getLogger(__name__)

PHANTOMS = 8
"""Phantoms that are shown where there are no examples, each with a question of another kind."""


def prompts(checkpoint: Checkpoint, examples: Sequence[Example]) -> list[Prompt]:
    """Write examples as the checkpoint's model reads them. :class:`~edgekit.errors.InputError` for a picture that can't
    be read."""
    pictures = {example.image: load_image(example.image) for example in examples if example.image}
    for path, picture in pictures.items():
        for note in picture.notes:
            _log.warning("%s: %s", path, note)
    return _written(
        checkpoint,
        [
            Turn(example.question, example.answer, (pictures[example.image],) if example.image else ())
            for example in examples
        ],
    )


def phantoms(checkpoint: Checkpoint, count: int = PHANTOMS) -> list[Prompt]:
    """Write phantoms of the training split as the checkpoint's model reads them."""
    turns = []
    for index, seed in enumerate(SEEDS["train"][:count]):
        asked = ask(scene(seed), np.random.default_rng((seed, 2)))
        question = asked[-1 - index % len(asked)]  # the last is the description
        turns.append(Turn(question.text, question.answer, (Picture.of(draw(scene(seed))),)))
    return _written(checkpoint, turns)


def _written(checkpoint: Checkpoint, turns: Sequence[Turn]) -> list[Prompt]:
    tokenizer = parse_tokenizer(checkpoint.tokenizer_json, str(checkpoint.path / "tokenizer.json"))
    return [build(checkpoint.spec, tokenizer, [turn]) for turn in turns]
