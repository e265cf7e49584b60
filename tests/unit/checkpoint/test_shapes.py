"""Names and shapes of tensors against the parameters of a published model."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest

from edgekit.checkpoint.checkpoint import is_matrix
from edgekit.checkpoint.shapes import (
    cache_scales,
    decoder_shapes,
    has_cache_scales,
    has_input_ranges,
    input_ranges,
    projector_shapes,
    range_of,
    tensor_shapes,
    vision_shapes,
)
from edgekit.checkpoint.spec import ProjectorSpec
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA
from tests.unit.quantize.fakes import SPEC


def test_a_mistral_has_its_published_parameters() -> None:
    """Mistral-7B: 7,241,732,096 parameters (its model card's safetensors)."""
    assert sum(prod(shape) for _, shape in decoder_shapes(LLAVA_MED.spec.decoder)) == 7_241_732_096


def test_towers_have_the_parameters_of_transformers() -> None:
    """As transformers' own modules have them, in small."""
    from transformers import CLIPVisionConfig, CLIPVisionModel, SiglipVisionConfig, SiglipVisionModel

    sizes = {"hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 3, "image_size": 28, "patch_size": 7}
    for kind, net in (
        ("clip", CLIPVisionModel(CLIPVisionConfig(**sizes, num_hidden_layers=2))),
        ("siglip", SiglipVisionModel(SiglipVisionConfig(**sizes, num_hidden_layers=2, vision_use_head=False))),
    ):
        spec = (LLAVA_MED if kind == "clip" else TINYLLAVA).spec.vision
        small = replace(spec, hidden=48, layers=2, heads=3, ff=80, image_size=28, patch=7, post_norm=True)
        assert sum(prod(shape) for _, shape in vision_shapes(small)) == sum(p.numel() for p in net.parameters())


def test_no_name_stands_for_two_tensors() -> None:
    every = [*vision_shapes(SPEC.vision), *projector_shapes(SPEC.projector), *decoder_shapes(SPEC.decoder)]
    assert dict(every) == tensor_shapes(SPEC)
    assert len(every) == len(tensor_shapes(SPEC))


def test_a_projector_has_a_layer_between_each_two_widths() -> None:
    assert dict(projector_shapes(ProjectorSpec((3, 5, 7), bias=False))) == {
        "projector.0.weight": (5, 3),
        "projector.1.weight": (7, 5),
    }


@pytest.mark.parametrize(("norm", "parallel", "gated"), [("rms", False, True), ("layer", True, False)])
def test_what_a_decoder_lacks_is_not_listed(norm: str, parallel: bool, gated: bool) -> None:
    names = dict(decoder_shapes(replace(SPEC.decoder, norm=norm, parallel=parallel, gated=gated))).keys()  # type: ignore[arg-type]
    assert ("decoder.layers.0.norm2.weight" in names) is not parallel
    assert ("decoder.layers.0.mlp.gate.weight" in names) is gated
    assert ("decoder.norm.bias" in names) is (norm == "layer")


def test_an_int8_cache_has_a_scale_for_each_channel_of_keys_and_of_values() -> None:
    scales = cache_scales(replace(SPEC.decoder, layers=2))
    assert scales == {f"decoder.layers.{i}.attn.{part}_scale": (96,) for i in range(2) for part in "kv"}
    assert (has_cache_scales(scales), has_cache_scales(tensor_shapes(SPEC))) == (True, False)


def test_a_range_is_of_each_linear_of_tower_and_projector() -> None:
    ranges = input_ranges(SPEC)
    linears = [name for name in tensor_shapes(SPEC) if is_matrix(name) and not name.startswith("decoder.")]
    assert ranges == dict.fromkeys(map(range_of, linears), (1,))
    assert (has_input_ranges(ranges), has_input_ranges(tensor_shapes(SPEC))) == (True, False)
