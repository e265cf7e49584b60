"""What parts cost, measured against a model that is run whole; and which are widened within so many bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgekit.blocks import BlockModel, Floats
from edgekit.checkpoint.checkpoint import Checkpoint, component, layer_of
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import ConfigError
from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.plan.components import weight_bytes
from edgekit.quantize import quantize
from edgekit.quantize.choose import choose
from edgekit.quantize.sensitivity import Sensitivity, sensitivity
from edgekit.recipe import Recipe, recipe
from tests.checkpoints import write_checkpoint

PROMPTS = [Prompt((TextPiece(tuple(range(5, 40))),)), Prompt((TextPiece((7, 9, 300, 12, 250)),))]
COARSE = replace(recipe("q4"), group=32)
FOUND = Sensitivity(
    {"vision": 1e-5, "embedding": 2e-5, "lm_head": 0.004, "decoder.0-0": 0.02, "decoder.1-1": 0.001},
    {"decoder.0-0": (0,), "decoder.1-1": (1,)},
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_checkpoint(tmp_path_factory.mktemp("fit") / "c").path)


def logits(checkpoint: Checkpoint, prompt: Prompt) -> Floats:
    model = BlockModel(checkpoint)
    x = model.embed(prompt.keys)[None]
    for index in range(model.spec.decoder.layers):
        x = model.layer(index)(x)
    answers: Floats = model.head(x)[0]
    return answers


@pytest.mark.parametrize("part", ["decoder.0-0", "decoder.1-1", "lm_head", "embedding"])
def test_a_part_costs_what_the_whole_model_loses_with_that_part_alone_quantized(
    part: str, checkpoint: Checkpoint
) -> None:
    rounded = quantize(checkpoint, COARSE)
    layer = int(part[8]) if part.startswith("decoder") else None
    of_it = {
        name: tensor
        for name, tensor in rounded.tensors.items()
        if component(name) == part.partition(".")[0] and (layer is None or layer_of(name) == layer)
    }
    variant = replace(checkpoint, tensors={**checkpoint.tensors, **of_it})
    lost = []
    for prompt in PROMPTS:
        one, other = (log_shares(logits(which, prompt).astype(np.float64)) for which in (checkpoint, variant))
        lost += (np.exp(one) * (one - other)).sum(-1).tolist()
    measured = sensitivity(checkpoint, COARSE, PROMPTS)
    assert measured.losses[part] == pytest.approx(np.mean(lost), rel=1e-2, abs=1e-7)
    assert measured.losses[part] > 0


def log_shares(values: Any) -> Any:
    peak = values.max(-1, keepdims=True)
    return values - peak - np.log(np.exp(values - peak).sum(-1, keepdims=True))


def size(checkpoint: Checkpoint, chosen: Recipe) -> int:
    return sum(weight_bytes(checkpoint, chosen, 4).values())


def test_what_wins_back_most_for_its_bytes_is_widened_first(checkpoint: Checkpoint) -> None:
    least = size(checkpoint, COARSE)
    first = size(checkpoint, replace(COARSE, int8_layers=(0,)))
    choice = choose(COARSE, FOUND, first, lambda candidate: size(checkpoint, candidate))
    assert choice.wider[0] in ("decoder.0-0", "lm_head")
    assert least < choice.bytes == size(checkpoint, choice.recipe) <= first
    room = choose(COARSE, FOUND, 10 * first, lambda candidate: size(checkpoint, candidate))
    assert set(room.wider) == set(FOUND.losses)
    assert room.recipe.int8_layers == (0, 1)
    assert (room.recipe.vision, room.recipe.embedding, room.recipe.lm_head) == ("fp16", "fp16", "int8")


def test_more_bytes_never_lose_more(checkpoint: Checkpoint) -> None:
    least = size(checkpoint, COARSE)
    left = []
    for extra in range(0, 2_000_000, 100_000):
        choice = choose(COARSE, FOUND, least + extra, lambda candidate: size(checkpoint, candidate))
        assert choice.bytes <= least + extra
        left.append(sum(loss for part, loss in FOUND.losses.items() if part not in choice.wider))
    assert left[-1] < left[0]


def test_too_few_bytes_are_refused_with_how_many_it_takes(checkpoint: Checkpoint) -> None:
    with pytest.raises(ConfigError, match="are allowed"):
        choose(COARSE, FOUND, 1000, lambda candidate: size(checkpoint, candidate))


def test_layers_of_both_precisions_are_one_checkpoint(checkpoint: Checkpoint) -> None:
    mixed = quantize(checkpoint, replace(COARSE, int8_layers=(1,)))
    bits = {name: getattr(tensor, "bits", 16) for name, tensor in mixed.tensors.items()}
    assert bits["decoder.layers.0.mlp.up.weight"] == 4
    assert bits["decoder.layers.1.mlp.up.weight"] == 8
