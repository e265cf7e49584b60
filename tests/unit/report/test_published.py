"""The published models, their shapes and the figures of the paper."""

from __future__ import annotations

import pytest

from edgekit.plan.components import weights_in_memory
from edgekit.recipe import recipe
from edgekit.report.memory import variants
from edgekit.report.published import LLAVA_MED, TINYLLAVA, PublishedModel
from edgekit.units import GIB


@pytest.mark.parametrize(
    ("model", "name", "size"),
    [
        (LLAVA_MED, "q4", 4_111_804_928),
        (LLAVA_MED, "q8", 7_558_718_464),
        (TINYLLAVA, "q4", 1_005_895_808),
        (TINYLLAVA, "q8", 1_507_795_584),
    ],
)
def test_shapes_are_the_published_ones(model: PublishedModel, name: str, size: int) -> None:
    """The bytes were reckoned from the models' config files, elsewhere."""
    assert sum(weights_in_memory(model.subject.tensors, recipe(name), 2).values()) == size


def test_the_published_figures_are_those_of_the_paper() -> None:
    every = {(variant.model, variant.recipe): variant.published for variant in variants([])}
    assert {key: (variant.static_bytes, variant.arithmetic) for key, variant in every.items()} == {
        ("LLaVA-Med", "fp16"): (15_669_322_248, False),
        ("LLaVA-Med", "q8"): (8_669_028_872, True),
        ("LLaVA-Med", "q4"): (5_168_882_184, False),
        ("TinyLLaVA", "fp16"): (None, False),
        ("TinyLLaVA", "q8"): (2_044_812_808, True),
        ("TinyLLaVA", "q4"): (1_557_093_896, False),
    }
    dynamic = {key: round(variant.dynamic_bytes / GIB, 2) for key, variant in every.items() if variant.dynamic_bytes}
    assert dynamic == {("LLaVA-Med", "fp16"): 14.86, ("LLaVA-Med", "q4"): 5.18, ("TinyLLaVA", "q4"): 1.68}
