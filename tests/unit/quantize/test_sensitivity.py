"""What parts of a model cost, measured against a model that is run whole with that part alone quantized."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgekit.blocks import BlockModel
from edgekit.checkpoint.checkpoint import Checkpoint, component, layer_of
from edgekit.checkpoint.open import open_checkpoint
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Prompt, TextPiece
from edgekit.quantize import quantize
from edgekit.quantize.sensitivity import GROUPS, Sensitivity, _groups, sensitivity
from edgekit.recipe import recipe
from tests.checkpoints import write_checkpoint

COARSE = replace(recipe("q4"), group=32)
NOISE = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_checkpoint(tmp_path_factory.mktemp("parts") / "c").path)


@pytest.fixture(scope="module")
def prompts(checkpoint: Checkpoint) -> list[Prompt]:
    spec = checkpoint.spec
    shown = ImagePiece(Picture(Image.fromarray(NOISE), "noise"), spec.image, spec.tokens_per_image)
    return [
        Prompt((TextPiece(tuple(range(5, 40))),)),
        Prompt((TextPiece((7, 9)), shown, TextPiece((300, 12, 250)))),
    ]


@pytest.fixture(scope="module")
def measured(checkpoint: Checkpoint, prompts: list[Prompt]) -> Sensitivity:
    return sensitivity(checkpoint, COARSE, prompts)


def log_shares(checkpoint: Checkpoint, prompt: Prompt) -> Any:
    """Of the next word behind each word of a prompt: float64 ``[words, vocab]``."""
    model = BlockModel(checkpoint)
    rows = [
        model.embed(piece.ids) if isinstance(piece, TextPiece) else model.encode([piece.pixels()[None]])[1][0][0]
        for piece in prompt.pieces
    ]
    x = np.concatenate(rows)[None]
    for index in range(model.spec.decoder.layers):
        x = model.layer(index)(x)
    is_word = [isinstance(piece, TextPiece) for piece in prompt.pieces for _ in range(len(piece))]
    values = model.head(x)[0][is_word].astype(np.float64)
    peak = values.max(-1, keepdims=True)
    return values - peak - np.log(np.exp(values - peak).sum(-1, keepdims=True))


def belongs(name: str, part: str) -> bool:
    if part.startswith("decoder."):
        return component(name) == "decoder" and layer_of(name) == int(part[8])
    return component(name) in {"vision": ("vision", "projector")}.get(part, (part,))


@pytest.mark.parametrize("part", ["decoder.0-0", "decoder.1-1", "lm_head", "embedding", "vision"])
def test_a_part_costs_what_the_whole_model_loses_with_that_part_alone_quantized(
    part: str, checkpoint: Checkpoint, prompts: list[Prompt], measured: Sensitivity
) -> None:
    rounded = quantize(checkpoint, COARSE).tensors
    of_it = {name: tensor for name, tensor in rounded.items() if belongs(name, part)}
    variant = replace(checkpoint, tensors={**checkpoint.tensors, **of_it})
    lost: list[float] = []
    for prompt in prompts:
        one, other = log_shares(checkpoint, prompt), log_shares(variant, prompt)
        lost += (np.exp(one) * (one - other)).sum(-1).tolist()
    assert len(lost) == 35 + 5
    assert measured.losses[part] == pytest.approx(np.mean(lost), rel=1e-2, abs=1e-7)
    assert measured.losses[part] > 0


def test_of_many_layers_a_few_groups_are_measured_and_each_layer_in_one_of_them(measured: Sensitivity) -> None:
    assert measured.layers == _groups(2) == {"decoder.0-0": (0,), "decoder.1-1": (1,)}
    for layers in (8, 9, 22, 32):
        groups = _groups(layers)
        assert len(groups) == GROUPS
        assert [index for members in groups.values() for index in members] == list(range(layers))
        assert {len(members) for members in groups.values()} <= {layers // GROUPS, -(-layers // GROUPS)}
        assert all(name == f"decoder.{members[0]}-{members[-1]}" for name, members in groups.items())
