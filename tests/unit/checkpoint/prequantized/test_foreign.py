"""Forms that EdgeKit does not read, by a tensor that gives them away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.foreign import refuse_foreign
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError
from tests.unit.quantize.fakes import Stored


def source(name: str, dtype: Any, quantization: dict[str, Any] | None = None) -> Source:
    config = Fields({"quantization_config": quantization or {}}, "config.json")
    tensors = {"model.norm.weight": Stored(np.zeros(2, np.float16)), name: Stored(np.zeros((2, 2), dtype))}
    return Source(Path("models/other"), config, tensors)


@pytest.mark.parametrize(
    ("name", "dtype", "config", "title"),
    [
        ("q.weight.quant_state.bitsandbytes__nf4", "uint8", {}, "bitsandbytes (NF4)"),
        ("q.SCB", "float32", {}, "bitsandbytes (int8)"),
        ("q.W_q", "uint8", {}, "HQQ"),
        ("q.weight", "uint8", {}, "packed bytes"),
        ("q.weight", "uint8", {"quant_method": "bitsandbytes"}, "bitsandbytes (4 bits)"),
        ("q.weight", "int8", {"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes (int8)"),
        ("q.weight", "int8", {"quant_method": "quanto"}, "Quanto"),
        ("q.weight", "int8", {"quant_method": "new_tool"}, "'new-tool'"),
        ("q.weight", "uint32", {"quant_method": "x"}, "MLX"),
        ("q.weight", ml_dtypes.float8_e4m3fn, {}, "FP8"),
        ("q.weight_scale_inv", "float32", {"quant_method": "fp8"}, "FP8 in blocks"),
        ("q.weight_packed", "uint8", {}, "MXFP4"),
        ("q.weight_scale", "float32", {}, "scales beside plain weights"),
    ],
)
def test_a_form_is_called_what_it_is(name: str, dtype: Any, config: dict[str, Any], title: str) -> None:
    with pytest.raises(CheckpointError) as error:
        refuse_foreign(source(name, dtype, config))
    assert f"quantized weights, {title} ({name})" in error.value.message
    assert error.value.hint


@pytest.mark.parametrize("dtype", ["float16", "float32", ml_dtypes.bfloat16])
def test_plain_weights_are_no_form(dtype: Any) -> None:
    refuse_foreign(source("q.weight", dtype, {"quant_method": "bitsandbytes"}))


def test_int32_that_other_packings_have_is_no_form() -> None:
    refuse_foreign(source("q.qweight", "int32"))
    refuse_foreign(source("q.weight_packed", "int32"))
