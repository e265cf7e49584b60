"""The published memory beside ours: shapes against the published bytes, plans against plans, and the command."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit.plan import plan
from edgekit.plan.components import weights_in_memory
from edgekit.profile.record import Profile, SideMemory
from edgekit.recipe import recipe
from edgekit.report.memory import CONTEXT, SLOTS, variants
from edgekit.report.published import LLAVA_MED, TINYLLAVA, PublishedModel
from edgekit.target import target, targets
from edgekit.units import GIB
from tests.unit.plan import models
from tests.unit.profile.made import changed, profile

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("ours", "other"), [(LLAVA_MED, models.LLAVA_MED), (TINYLLAVA, models.TINYLLAVA)])
def test_plans_of_shapes_are_plans_of_checkpoints(ours: PublishedModel, other: Any) -> None:
    by_variant = {(variant.model, variant.recipe): variant for variant in variants(targets())}
    for device in targets():
        one = replace(device, slots=SLOTS, context=CONTEXT)
        for name in ("fp16", "q8", "q4"):
            planned = plan(other, one, recipe(name))
            mine = by_variant[ours.title, name].planned[device.name]
            assert (mine.static_bytes, mine.fits) == (planned.static_bytes, planned.fits)
            assert mine.dynamic_bytes == planned.dynamic_bytes


def test_the_published_four_bit_figures_are_beaten_on_every_card() -> None:
    for one in variants(targets()):
        if one.recipe == "q4":
            for name in ("rtx3050", "rtx3080"):
                assert one.published.static_bytes
                assert one.published.dynamic_bytes
                assert one.planned[name].static_bytes < 0.85 * one.published.static_bytes
                assert one.planned[name].dynamic_bytes < 0.85 * one.published.dynamic_bytes


def of(model: PublishedModel, name: str, activation_bytes: int = 4, /, **changed: Any) -> Profile:
    """A profile whose plan has the weights of ``model`` by recipe ``name``."""
    weights = weights_in_memory(model.subject.tensors, recipe(name), activation_bytes)
    return profile(recipe=name, planned={**weights, "kv_arena": GIB}, **changed)


def owners(measured: Profile) -> list[tuple[str, str]]:
    return [(variant.model, variant.recipe) for variant in variants([target("cpu")], [measured]) if variant.measured]


def test_a_profile_stands_beside_its_variant_only() -> None:
    side = SideMemory("memory", GIB, 3 * GIB, 2 * GIB, "the kernel")
    other = of(TINYLLAVA, "q4", model="TinyLLaVA-1.5B", sides=(side,))
    by_variant = {
        (variant.model, variant.recipe): variant.measured for variant in variants([target("cpu")], [other, profile()])
    }
    assert [key for key, measured in by_variant.items() if measured] == [("TinyLLaVA", "q4")]
    (ours,) = by_variant["TinyLLaVA", "q4"].values()
    assert (ours.static_bytes, ours.dynamic_bytes, ours.peak_bytes) == (GIB, 2 * GIB, 3 * GIB)


@pytest.mark.parametrize("name", ["fp16", "q8", "q4"])
def test_a_profile_is_known_by_its_weights_whatever_its_name(name: str) -> None:
    assert owners(of(LLAVA_MED, name, model="ward7")) == [("LLaVA-Med", name)]
    card = replace(profile().device, engine="onnxruntime-cuda", gpu="Some card")
    assert owners(of(TINYLLAVA, name, 2, model="ward7", device=card)) == [("TinyLLaVA", name)]
    assert not owners(of(TINYLLAVA, name, 4, model="ward7", device=card))  # these are a processor's sizes


def test_a_longer_vocabulary_needs_the_name_and_a_larger_sister_is_another_model() -> None:
    made = of(LLAVA_MED, "q4", model="LLaVA_Med-padded")
    words = made.planned.components["embedding"] * 32064 // 32000
    padded = changed(made, planned={**made.planned.components, "embedding": words})
    assert owners(padded) == [("LLaVA-Med", "q4")]
    assert not owners(changed(padded, model="ward7"))
    assert owners(of(LLAVA_MED, "q4", model="TinyLLaVA-3.1B")) == [("LLaVA-Med", "q4")]  # weights say more than names
    sister = of(TINYLLAVA, "q4", model="TinyLLaVA-2.0B")
    assert not owners(
        changed(sister, planned={**sister.planned.components, "decoder": sister.planned.components["decoder"] * 3 // 2})
    )
    assert not owners(changed(made, recipe="mine"))


def test_ratios_are_ours_to_the_published_and_none_where_nothing_was() -> None:
    side = SideMemory("memory", 5_168_882_184 // 2, 9 * GIB, round(5.18 * GIB) * 3 // 4, "the kernel")
    every = variants([target("cpu")], [of(LLAVA_MED, "q4", sides=(side,))])
    (ours,) = next(
        variant for variant in every if (variant.model, variant.recipe) == ("LLaVA-Med", "q4")
    ).measured.values()
    assert ours.static_ratio == 0.5
    assert ours.dynamic_ratio == pytest.approx(0.75)
    for variant in every:
        planned = variant.planned["cpu"]
        assert (planned.static_ratio is None) == (variant.published.static_bytes is None)
        assert (planned.dynamic_ratio is None) == (variant.published.dynamic_bytes is None)
        if variant.published.static_bytes and planned.static_ratio:
            assert planned.static_ratio * variant.published.static_bytes == pytest.approx(planned.static_bytes)


def test_of_several_profiles_of_one_device_the_newest_counts() -> None:
    new, old = (
        of(LLAVA_MED, "q4", made=f"2026-11-0{day}T12:00:00Z", sides=(SideMemory("memory", day, day, day, ""),))
        for day in (9, 2)
    )
    for given in ([new, old], [old, new]):
        (ours,) = variants([target("cpu")], given)[2].measured.values()
        assert ours.static_bytes == 9
