"""Weights and arena against published arithmetic, against what graphs hold, and against what an engine allocates."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest

from edgekit.checkpoint.checkpoint import Checkpoint, component
from edgekit.checkpoint.open import open_checkpoint
from edgekit.export.embedding import embedding
from edgekit.export.export import build_graphs
from edgekit.phantom.embedded import embedded
from edgekit.plan import weight_bytes
from edgekit.plan.components import weights_in_memory, weights_on_disk
from edgekit.plan.subject import subject_of
from edgekit.quantize import quantize
from edgekit.recipe import recipe, recipes
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA


@pytest.mark.parametrize(
    ("model", "name", "published"),
    [
        (LLAVA_MED, "q4", 4_111_804_928),
        (LLAVA_MED, "q8", 7_558_718_464),
        (TINYLLAVA, "q4", 1_005_895_808),
        (TINYLLAVA, "q8", 1_507_795_584),
    ],
)
def test_weights_are_the_published_arithmetic_to_the_byte(model: Checkpoint, name: str, published: int) -> None:
    assert sum(weight_bytes(model, recipe(name), activation_bytes=2).values()) == published


@pytest.mark.parametrize("name", [shipped.name for shipped in recipes()])
@pytest.mark.parametrize("activations", ["float16", "float32"])
def test_a_bundle_s_graphs_hold_what_is_planned(name: str, activations: Literal["float16", "float32"]) -> None:
    """On disk; a little is between 16 and 32 bits there, vectors, which are too few to be told apart."""
    by, source = recipe(name), open_checkpoint(embedded())
    view = quantize(source, by)
    held: Counter[str] = Counter()
    graphs = build_graphs(view, activations, 1024)
    for graph in graphs.values():
        for weight in graph.weights.values():
            held[component(weight.name)] += weight.nbytes
    held["embedding"] = sum(weight.nbytes for weight in embedding(view, graphs["decoder"])[0])
    wide = 4 if activations == "float32" else 2
    planned = weights_on_disk(subject_of(source, by).tensors, by, wide)
    assert planned.keys() == held.keys()
    for part, size in planned.items():
        if wide == 2 or by.precision(part) == "fp32" or part == "embedding":
            assert size == held[part]
        else:
            assert size <= held[part] < 1.05 * size


def test_a_recipe_in_32_bits_takes_16_where_graphs_compute_in_16() -> None:
    wide, narrow = (weight_bytes(TINYLLAVA, recipe(name), activation_bytes=2) for name in ("fp32", "fp16"))
    assert wide.pop("embedding") == 2 * narrow.pop("embedding") == 4 * 32000 * 2048
    assert wide == narrow


def test_an_engine_converts_16_bits_that_it_computes_with_in_32() -> None:
    memory = weights_in_memory(subject_of(TINYLLAVA, recipe("fp16")).tensors, recipe("fp16"), 4)
    disk = weights_on_disk(subject_of(TINYLLAVA, recipe("fp16")).tensors, recipe("fp16"), 4)
    assert memory.pop("embedding") == disk.pop("embedding")  # its rows are converted one by one
    assert memory == {part: 2 * size for part, size in disk.items()}
