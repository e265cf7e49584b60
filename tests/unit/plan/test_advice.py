"""Advice is checked by following it: it fits, nothing that costs less does, and it can be typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import GateRefused
from edgekit.plan import advice, plan, require_fit
from edgekit.plan.advice import candidates
from edgekit.plan.planning import plan_subject
from edgekit.plan.subject import subject_of
from edgekit.recipe import Recipe, recipe, recipes
from edgekit.target import Target, target, targets
from edgekit.units import GIB, MIB
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA

models = st.sampled_from([LLAVA_MED, TINYLLAVA])


@settings(max_examples=25)
@given(
    models,
    st.sampled_from([each for each in targets() if each.memory_bytes]),
    st.sampled_from(recipes()),
    st.integers(2, 64),
    st.integers(1, 12),
)
def test_following_the_advice_fits_and_gives_up_no_more_than_it_must(
    model: Checkpoint, device: Target, by: Recipe, slots: int, eighths: int
) -> None:
    memory = device.reserved_bytes + eighths * device.memory_bytes // 16
    small = replace(device, memory_bytes=memory, slots=slots)
    options = advice(model, small, by)
    subject = subject_of(model, by)
    fitting = [
        option for option in candidates(subject, small, by) if plan_subject(subject, option.target, option.recipe).fits
    ]
    assert bool(options) == bool(fitting)
    for option in options:
        planned = plan(model, option.target, option.recipe)
        assert planned.fits
        assert planned.free_bytes == option.free_bytes
        assert option.target.memory_bytes == memory
    if fitting:
        assert (options[0].target, options[0].recipe) == (fitting[0].target, fitting[0].recipe)
        assert fitting[0].loss == min(option.loss for option in fitting)


def test_candidates_come_with_the_cheapest_loss_first() -> None:
    every = candidates(subject_of(LLAVA_MED, recipe("fp16")), target("rtx3080"), recipe("fp16"))
    assert [candidate.loss for candidate in every] == sorted(candidate.loss for candidate in every)
    assert (every[0].target.slots, every[0].target.context, every[0].recipe.name) == (2, 4096, "fp16")
    assert all(candidate.target.context >= 576 + 64 for candidate in every)
    precisions = list(
        dict.fromkeys(
            (candidate.recipe.vision, candidate.recipe.embedding, candidate.recipe.decoder) for candidate in every
        )
    )
    assert precisions[:5] == [
        ("fp16", "fp16", "fp16"),
        ("int8", "fp16", "fp16"),
        ("fp16", "int8", "fp16"),
        ("int8", "int8", "fp16"),
        ("fp16", "fp16", "int8"),
    ]
    assert precisions[-1] == ("int8", "int8", "int4")
    assert every[-1].recipe == recipe("q4")


def test_what_a_7b_in_16_bits_hears_from_a_small_card() -> None:
    card = target("rtx3050")
    planned = plan(LLAVA_MED, card, recipe("fp16"))
    with pytest.raises(GateRefused) as refused:
        require_fit(planned, LLAVA_MED, recipe("fp16"))
    assert "2 × 2048 tokens" in refused.value.message
    lines = refused.value.hint.splitlines()
    assert lines[1].startswith("  a recipe with decoder int4: ")
    assert lines[2].startswith("  --recipe q4: ")
    assert "TOML" in lines[3]


def test_slots_and_context_go_before_precision() -> None:
    card = replace(target("rtx3050"), slots=8)
    first = advice(LLAVA_MED, card, recipe("q4"))[0]
    assert first.recipe == recipe("q4")
    assert first.target.slots < 8
    assert first.target.context == 2048


def test_a_cpu_keeps_keys_and_values_in_int8_before_weights_suffer() -> None:
    device = replace(target("cpu"), memory_bytes=8 * GIB, slots=1, context=640)
    planned = plan(LLAVA_MED, device, recipe("q8"))
    small = replace(device, memory_bytes=device.memory_bytes - planned.free_bytes - 40 * MIB)
    first = advice(LLAVA_MED, small, recipe("q8"))[0]
    assert first.text == "a recipe with kv int8"
    assert first.recipe == replace(recipe("q8"), name="q8-kv8", kv="int8")
    on_card = candidates(subject_of(LLAVA_MED, recipe("q8")), target("rtx3050"), recipe("q8"))
    assert {option.recipe.kv for option in on_card} == {"activations"}


def test_where_nothing_helps_it_is_said() -> None:
    small = replace(target("rtx3050"), memory_bytes=GIB)
    with pytest.raises(GateRefused, match="too much") as refused:
        require_fit(plan(LLAVA_MED, small, recipe("q8")), LLAVA_MED, recipe("q8"))
    assert "smaller model" in refused.value.hint
    assert small.memory_bytes - small.reserved_bytes == 512 * MIB
