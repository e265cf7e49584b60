"""Which parts are widened within so many bytes, by what each of them costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import ConfigError
from edgekit.plan.components import weight_bytes
from edgekit.quantize import quantize
from edgekit.quantize.choose import choose
from edgekit.quantize.sensitivity import Sensitivity
from edgekit.recipe import Recipe, recipe
from tests.checkpoints import write_checkpoint

COARSE = replace(recipe("q4"), group=32)
FOUND = Sensitivity(
    {"vision": 1e-5, "embedding": 2e-5, "lm_head": 0.004, "decoder.0-0": 0.02, "decoder.1-1": 0.001},
    {"decoder.0-0": (0,), "decoder.1-1": (1,)},
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_checkpoint(tmp_path_factory.mktemp("fit") / "c").path)


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
