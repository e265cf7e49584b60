"""A recipe decides for each tensor by its component, and only matrices are quantized."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from edgekit.checkpoint.packed import PackedTensor, Tensor, is_packed
from edgekit.errors import CheckpointError
from edgekit.quantize.quantize import quantize
from edgekit.quantize.tensors import RoundedTensor
from tests.unit.quantize.fakes import BFLOAT16, Stored, checkpoint, normal, recipe

TENSORS: dict[str, tuple[int, ...]] = {
    "vision__patch__weight": (72, 3, 7, 7),
    "vision__position__weight": (17, 72),
    "vision__layers__0__attn__q__weight": (72, 72),
    "vision__layers__0__attn__q__bias": (72,),
    "vision__layers__0__norm1__weight": (72,),
    "projector__0__weight": (96, 72),
    "projector__0__bias": (96,),
    "decoder__embedding__weight": (320, 96),
    "decoder__norm__weight": (96,),
    "decoder__layers__0__mlp__down__weight": (96, 200),
    "decoder__lm_head__weight": (320, 96),
}


def describe(weight: Any) -> str:
    return f"int{weight.bits} g{weight.group}" if is_packed(weight) else str(weight.dtype)


def test_each_component_gets_its_precision() -> None:
    source = checkpoint(**{name: Stored(normal(*shape, dtype=BFLOAT16)) for name, shape in TENSORS.items()})
    mixed = recipe("int4", vision="int8", projector="fp32", embedding="int8", lm_head="fp16", group=64)
    precisions = {name: describe(weight) for name, weight in quantize(source, mixed).tensors.items()}
    assert precisions == {
        "vision.patch.weight": "float16",
        "vision.position.weight": "float16",
        "vision.layers.0.attn.q.weight": "int8 g72",
        "vision.layers.0.attn.q.bias": "float16",
        "vision.layers.0.norm1.weight": "float16",
        "projector.0.weight": "float32",
        "projector.0.bias": "float32",
        "decoder.embedding.weight": "int8 g96",
        "decoder.norm.weight": "float16",
        "decoder.layers.0.mlp.down.weight": "int4 g64",
        "decoder.lm_head.weight": "float16",
    }


def test_nothing_is_read_until_it_is_asked_for() -> None:
    broken = Stored(np.full((4, 128), np.nan, np.float16))
    source = checkpoint(decoder__lm_head__weight=broken)
    view = quantize(source, recipe("int4"))
    assert (view.path, view.spec, view.tokenizer_json) == (source.path, source.spec, source.tokenizer_json)
    with pytest.raises(CheckpointError, match=r"decoder\.lm_head\.weight"):
        cast("PackedTensor", view.tensors["decoder.lm_head.weight"]).packed_rows(0, 4)


def test_packed_weights_that_fit_stay() -> None:
    once = quantize(checkpoint(decoder__lm_head__weight=Stored(normal(8, 256))), recipe("int4"))
    again = quantize(once, recipe("int4"))
    assert again.tensors["decoder.lm_head.weight"] is once.tensors["decoder.lm_head.weight"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (recipe("int4", group=32), "wants int4, group 32"),
        (recipe("int8"), "wants int8"),
        (recipe("fp16"), "wants fp16"),
    ],
)
def test_packed_weights_that_do_not_fit_are_refused(wanted: Any, says: str) -> None:
    packed = RoundedTensor("m", Stored(normal(8, 256)), 4, 128)
    with pytest.raises(CheckpointError, match=rf"quantized already \(int4, group 128\).*{says}"):
        quantize(checkpoint(decoder__lm_head__weight=packed), wanted)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_other_formats_are_refused(dtype: Any) -> None:
    with pytest.raises(CheckpointError, match=r"decoder\.norm\.weight is stored as") as caught:
        quantize(checkpoint(decoder__norm__weight=Stored(np.ones(4, dtype))), recipe("int4"))
    assert "bfloat16" in caught.value.hint


def test_tied_heads_are_quantized_each_by_its_own_part() -> None:
    shared = Stored(normal(16, 128))
    source = checkpoint(decoder__embedding__weight=shared, decoder__lm_head__weight=shared)
    view = quantize(source, recipe("int4", embedding="fp16")).tensors
    assert np.array_equal(cast("Tensor", view["decoder.embedding.weight"]).rows(0, 16), shared.array)
    head = cast("PackedTensor", view["decoder.lm_head.weight"]).packed_rows(0, 16)
    assert np.abs(head.dequantize() - shared.array).max() <= head.scales.max() / 2
