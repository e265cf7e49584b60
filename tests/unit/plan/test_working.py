"""What a model takes besides weights and arena, counted anew from the shapes of published models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.engines.coefficients import coefficients
from edgekit.plan.subject import subject_of
from edgekit.plan.working import (
    decoder_bytes,
    image_bytes,
    packing_bytes,
    rope_bytes,
    vision_bytes,
    working,
    written_out_bytes,
)
from edgekit.recipe import Precision, Recipe, recipe
from edgekit.target import Target, target
from edgekit.target.kinds import KINDS
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA

CPU, CARD = replace(target("cpu"), slots=2, context=1024), replace(target("rtx3050"), slots=2, context=1024)
SPEC = TINYLLAVA.spec


def packed(by: str | Recipe, on: Target) -> int:
    chosen = recipe(by) if isinstance(by, str) else by
    return packing_bytes(subject_of(TINYLLAVA, chosen).tensors, chosen, on)


def test_tables_of_the_rotation_are_cosines_and_sines() -> None:
    assert rope_bytes(SPEC.decoder, 1024, 4) == 2 * (1024 * 64 // 2) * 4


def test_a_picture_for_each_slot_is_its_pixels_and_its_embeddings() -> None:
    assert image_bytes(SPEC, CPU) == 2 * (3 * 384 * 384 * 4 + 729 * 2048 * 4)
    assert image_bytes(SPEC, CARD) == 2 * (3 * 384 * 384 * 4 + 729 * 2048 * 2)


def test_a_tower_holds_its_scores_only_where_they_are_written_to_memory() -> None:
    table = coefficients("onnxruntime")
    tokens, hidden = 576 + 1, 1024  # CLIP has a token of the class
    vision = LLAVA_MED.spec.vision
    flash = vision_bytes(vision, 4, replace(table, whole_scores=False))
    whole = vision_bytes(vision, 4, replace(table, whole_scores=True))
    assert flash == 4 * (2 * tokens * hidden + 2 * tokens * 4096)
    assert whole == 4 * (2 * tokens * hidden + 4 * tokens * hidden + 16 * tokens**2)


def test_the_logits_of_all_rows_are_the_least_that_a_step_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in KINDS.items():
        monkeypatch.setitem(KINDS, name, replace(kind, chunk=1))
    small = replace(SPEC.decoder, hidden=8, heads=1, kv_heads=1, head_dim=8, ff=8)
    table = replace(coefficients("onnxruntime"), whole_scores=False)
    assert decoder_bytes(small, replace(CPU, slots=3), table) == 2 * 4 * 4 * small.vocab  # three slots in pairs
    assert decoder_bytes(small, replace(CARD, slots=3, engine="tensorrt"), table) == 2 * 4 * 3 * small.vocab


@pytest.mark.parametrize("whole", [False, True])
def test_a_chunk_of_a_prompt_is_the_larger_of_attention_and_mlp(whole: bool) -> None:
    table = replace(coefficients("onnxruntime"), whole_scores=whole)
    mlp = 4 * 128 * (2 * 2048 + 3 * 5632)
    attention = 4 * 128 * (2 * 2048 + 2 * 2048 + 2 * 256) + 4 * 32 * 128 * 1024
    assert attention > mlp
    assert decoder_bytes(SPEC.decoder, CPU, table) == (attention if whole else mlp)


@pytest.mark.parametrize(
    ("decoder", "head", "written"),
    [
        ("int4", "int4", 0),
        ("int4", "int8", 32000 * 2048),
        # The last layer: gate, up and down of 5632, the output of attention; its queries, keys and values are not.
        ("int8", "int4", 3 * 5632 * 2048 + 2048 * 2048),
        ("int8", "int8", 3 * 5632 * 2048 + 2048 * 2048 + 32000 * 2048),
    ],
)
def test_tensorrt_writes_out_the_last_layer_and_the_head_in_float16(
    decoder: Precision, head: Precision, written: int
) -> None:
    chosen = replace(recipe("q4"), decoder=decoder, lm_head=head)
    tensors = subject_of(TINYLLAVA, chosen).tensors
    assert written_out_bytes(SPEC.decoder, tensors, chosen, CARD) == 2 * written
    assert written_out_bytes(SPEC.decoder, tensors, chosen, CPU) == 0


def test_a_processor_keeps_scales_and_sums_beside_its_codes() -> None:
    """Of int4: eight bytes for each group of 128, and nothing of the tower, which it multiplies otherwise."""
    heads = 2048 * (2048 + 256 + 256) + 2048 * 2048
    matrices = 22 * (heads + 3 * 5632 * 2048) + 32000 * 2048
    chosen = replace(recipe("q4"), lm_head="int4", int8_layers=())
    assert packed(chosen, CPU) == 8 * matrices // 128
    assert packed(replace(chosen, vision="int8", projector="int8"), CPU) == packed(chosen, CPU)


def test_plans_of_tensorrt_are_ready_to_be_used() -> None:
    assert packed("q4", CARD) == packed("q8", CARD) == 0
    assert packed("fp16", CPU) == 0
    assert packed("q8", CPU) > 0


def test_everything_is_counted_once_and_only_a_gpu_s_engine_has_a_share_on_it() -> None:
    for device in (CPU, CARD):
        table, chosen = coefficients(device.engine), recipe("q4")
        parts = list(working(SPEC, subject_of(TINYLLAVA, chosen).tensors, chosen, device, table))
        names = [part.name for part in parts]
        assert len(names) == len(set(names))
        assert ("engine_device" in names) == bool(table.engine_device.size_bytes)
        assert all(part.bytes >= 0 for part in parts)
        (tokenizer,) = (part for part in parts if part.name == "tokenizer")
        assert tokenizer.bytes == 32000 * table.tokenizer_word.size_bytes
