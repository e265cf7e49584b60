"""Whole plans: devices that are too small, sides of memory, what must grow with what, and bundles like checkpoints."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.bundle import Bundle
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.coefficients import coefficients
from edgekit.errors import ConfigError, GateRefused
from edgekit.phantom.embedded import embedded
from edgekit.plan import as_built, plan, require_fit
from edgekit.plan.memory import total
from edgekit.plan.planning import usable_context
from edgekit.recipe import Precision, Recipe, recipe
from edgekit.runtime.embeddings import IMAGE_CACHE_BYTES
from edgekit.target import Budget, Target, target, targets
from edgekit.units import GIB, MIB
from tests.embedded_bundles import EmbeddedBundles
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA, write_sparse

WEIGHTS = ("vision", "projector", "embedding", "decoder", "lm_head")
WIDTH = {"fp32": 4.0, "fp16": 2.0, "int8": 1.0, "int4": 0.5}
precisions: st.SearchStrategy[Precision] = st.sampled_from(list(WIDTH))
small_ones: st.SearchStrategy[Precision] = st.sampled_from([precision for precision in WIDTH if precision != "int4"])
any_target = st.sampled_from(targets())


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 GiB, whatever runs the tests."""
    monkeypatch.setattr("edgekit.plan.planning.total_memory", lambda: 16 * GIB)


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@st.composite
def recipe_of(draw: st.DrawFn) -> Recipe:
    vision, projector, embedding = draw(small_ones), draw(small_ones), draw(small_ones)
    return Recipe(
        name="any",
        title="",
        vision=vision,
        projector=projector,
        embedding=embedding,
        decoder=draw(precisions),
        lm_head=draw(precisions),
    )


def test_a_small_card_holds_the_4_bit_model_and_not_the_16_bit_one() -> None:
    card = target("rtx3050")
    small, whole = (plan(LLAVA_MED, card, recipe(name)) for name in ("q4", "fp16"))
    assert (small.target.slots, small.target.context) == (2, 2048)
    require_fit(small, LLAVA_MED, recipe("q4"))
    with pytest.raises(GateRefused, match="too much") as refused:
        require_fit(whole, LLAVA_MED, recipe("fp16"))
    assert "q4" in refused.value.hint
    assert whole.static_bytes > 14 * GIB - 32000 * 4096 * 2  # the embedding stays on the host
    assert whole.free_bytes == card.memory_bytes - card.reserved_bytes - whole.sides[0].needed_bytes < -8 * GIB


def test_a_processor_has_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.plan.planning.total_memory", lambda: 4 * GIB)
    cpu = target("cpu")
    assert plan(TINYLLAVA, cpu, recipe("q4")).fits
    assert plan(TINYLLAVA, cpu, recipe("q4")).available_bytes == 4 * GIB - cpu.reserved_bytes
    assert not plan(LLAVA_MED, cpu, recipe("q4")).fits
    monkeypatch.setattr("edgekit.plan.planning.total_memory", lambda: GIB // 2)  # less than the target reserves
    with pytest.raises(GateRefused, match="too much"):
        require_fit(plan(TINYLLAVA, cpu, recipe("q4")), TINYLLAVA, recipe("q4"))


def test_headers_are_enough_and_take_no_second(tmp_path: Path) -> None:
    source = write_sparse("llava-med-7b", tmp_path)
    weights = source / "model.safetensors"
    assert weights.stat().st_size > 15e9
    assert weights.stat().st_blocks * 512 < MIB
    began = time.process_time()
    opened = open_checkpoint(source)
    planned = plan(opened, target("rtx3050"), recipe("q4"))
    assert time.process_time() - began < 1
    assert planned.fits
    assert planned.disk.checkpoint_bytes == weights.stat().st_size
    published = sum(size for name, size in planned.components.items() if name in WEIGHTS)
    assert published == 4_111_804_928


def test_a_bundle_is_planned_like_its_checkpoint(bundle: Bundle) -> None:
    chosen, by = as_built(bundle)
    of_bundle, of_checkpoint = plan(bundle, chosen, by), plan(open_checkpoint(embedded()), chosen, by)
    assert of_bundle.parts == of_checkpoint.parts
    assert of_bundle.target == of_checkpoint.target
    assert of_bundle.disk.exact
    assert of_bundle.disk.bundle_bytes == bundle.bytes
    assert of_checkpoint.disk.bundle_bytes == pytest.approx(bundle.bytes, rel=0.02)
    compiled = sum(file.stat().st_size for file in bundle.path.glob("engines/*/*"))
    if compiled:
        assert of_bundle.disk.engines_bytes == compiled
        assert of_checkpoint.disk.engines_bytes == pytest.approx(compiled, rel=0.1)


def test_a_bundle_is_for_its_engine(bundle: Bundle) -> None:
    ward = replace(target("cpu"), name="ward7", context=4096, memory_bytes=4 * GIB)
    assert as_built(bundle, ward) == (replace(ward, context=1024), recipe("q4"))
    with pytest.raises(ConfigError, match="was built for cpu"):
        as_built(bundle, target("orin"))


def test_a_context_too_short_for_a_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="too short"):
        plan(LLAVA_MED, replace(target("orin"), context=600), recipe("q4"))


def test_more_slots_than_tokens_are_refused() -> None:
    with pytest.raises(ConfigError, match="2049 slots are more than the 2048 tokens"):
        plan(LLAVA_MED, replace(target("orin"), context=2048, slots=2049), recipe("q4"))


def test_a_context_is_one_that_tensorrt_can_lay_out() -> None:
    """A row of one key head of 16 channels in float16 is 32 bytes a token, so eight tokens to the next address."""
    spec = LLAVA_MED.spec
    assert usable_context(spec, replace(target("orin"), context=1999)) == 1999
    narrow = replace(spec, decoder=replace(spec.decoder, kv_heads=1, head_dim=16))
    assert usable_context(narrow, replace(target("orin"), context=1999)) == 1992
    assert usable_context(narrow, replace(target("cpu"), context=1999)) == 1999


@given(any_target, recipe_of(), st.integers(1, 16), st.integers(1, 16), st.integers(0, 2000))
def test_more_slots_and_context_never_take_less(chosen: Target, by: Recipe, slots: int, more: int, longer: int) -> None:
    base = plan(TINYLLAVA, replace(chosen, slots=slots, context=1024), by)
    two = plan(TINYLLAVA, replace(chosen, slots=slots + more, context=1024 + longer), by)
    assert all(two.components[name] >= size for name, size in base.components.items())
    assert two.free_bytes < base.free_bytes


@given(any_target, recipe_of(), st.sampled_from(WEIGHTS))
def test_a_smaller_precision_never_takes_more(chosen: Target, by: Recipe, part: str) -> None:
    """But for scratch on TensorRT, where RTX writes some int8 matrices out."""
    sizes = []
    for precision in list(WIDTH)[: 3 if part == "embedding" else 4]:
        smaller = replace(by, **{part: precision})  # type: ignore[arg-type]
        parts = plan(TINYLLAVA, chosen, smaller).parts
        scratch = "decoder_activations" if chosen.engine == "tensorrt" else None
        sizes.append(total([base for base in parts if base.name != scratch]))
    assert sizes == sorted(sizes, reverse=True)


def test_int8_of_the_last_layer_and_the_head_is_written_out_while_tensorrt_reads_a_prompt() -> None:
    """TinyLlama's last layer but for Q, K and V, and its head: 104 million weights of 2 bytes. A CPU takes codes."""
    card, cpu = target("rtx3050"), target("cpu")
    scratch = {
        (place.name, by): plan(TINYLLAVA, place, recipe(by)).components["decoder_activations"]
        for place in (card, cpu)
        for by in ("q8", "q4")
    }
    layer = 2048 * 2048 + 3 * 2048 * 5632
    assert scratch["rtx3050", "q8"] - scratch["rtx3050", "q4"] == 2 * (layer + 32000 * 2048)
    assert scratch["cpu", "q8"] == scratch["cpu", "q4"]


def test_int8_that_a_jetson_writes_out_is_assumed() -> None:
    for name, by, basis in (("rtx3080", "q8", "measured"), ("orin", "q4", "measured"), ("orin", "q8", "assumed")):
        [bases] = [
            part for part in plan(TINYLLAVA, target(name), recipe(by)).parts if part.name == "decoder_activations"
        ]
        assert bases.basis == basis


@given(any_target, recipe_of())
def test_one_memory_holds_what_two_sides_hold(chosen: Target, by: Recipe) -> None:
    shared, apart = (plan(TINYLLAVA, replace(chosen, unified=unified), by) for unified in (True, False))
    assert [side.name for side in shared.sides] == ["memory"]
    assert [side.name for side in apart.sides] == ["device", "host"]
    for of in ("static_bytes", "dynamic_bytes", "needed_bytes"):
        assert getattr(shared.sides[0], of) == sum(getattr(side, of) for side in apart.sides)
    assert sum(shared.components.values()) == shared.sides[0].needed_bytes == total(apart.parts)


@given(any_target, recipe_of())
def test_static_dynamic_and_the_whole_grow_in_this_order(chosen: Target, by: Recipe) -> None:
    planned = plan(TINYLLAVA, chosen, by)
    for side in planned.sides:
        assert 0 < side.static_bytes < side.dynamic_bytes <= side.needed_bytes
    assert planned.fits == (planned.free_bytes >= 0)


def test_the_table_of_coefficients_agrees_with_the_engine() -> None:
    for one in targets():
        assert coefficients(one.engine).image_cache.size_bytes == IMAGE_CACHE_BYTES


def test_what_was_measured_is_planned() -> None:
    """By `edgekit profile` on the machine of docs/figures.md, 2 slots: MiB after loading and at the highest peak."""
    small, cpu = open_checkpoint(embedded()), replace(target("cpu"), context=2048)
    for model, name, static, peak in (
        (TINYLLAVA, "q4", 1266, 1384),
        (TINYLLAVA, "q8", 1713, 1849),
        (small, "q4", 44.4, 53.2),
        (small, "q8", 45.8, 54.6),
        (small, "fp16", 58.2, 67.4),
    ):
        planned = plan(model, cpu, recipe(name))
        assert planned.static_bytes == pytest.approx(static * MIB, rel=0.05)
        assert planned.dynamic_bytes == pytest.approx(peak * MIB, rel=0.05)


def test_a_budget_is_held_against_the_plan() -> None:
    card = target("rtx3080")
    assert plan(LLAVA_MED, card, recipe("q4")).over_budget == ()
    tight = replace(card, budget=Budget(static_bytes=GIB, dynamic_bytes=GIB, memory_bytes=GIB, disk_bytes=GIB))
    said = plan(LLAVA_MED, tight, recipe("q4")).over_budget
    assert [word in line for word, line in zip(("static", "dynamic", "memory", "disk"), said, strict=True)] == [
        True
    ] * 4
    exact = plan(LLAVA_MED, card, recipe("q4"))
    enough = Budget(
        static_bytes=exact.static_bytes, dynamic_bytes=exact.dynamic_bytes, disk_bytes=exact.disk.device_bytes
    )
    assert plan(LLAVA_MED, replace(card, budget=enough), recipe("q4")).over_budget == ()


def test_json_keeps_the_keys_that_scripts_read() -> None:
    planned = plan(LLAVA_MED, target("orin"), recipe("q4"))
    said = planned.document()
    assert said["fits"] is True
    assert said["static_bytes"] == planned.static_bytes < said["dynamic_bytes"] == planned.dynamic_bytes
    assert said["components"].keys() >= {*WEIGHTS, "kv_arena"}
    assert all(isinstance(size, int) for size in said["components"].values())
