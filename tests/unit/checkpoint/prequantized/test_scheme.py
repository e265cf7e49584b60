"""How a checkpoint says that its Linears are packed: each tool's own words, and those that are not read."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.scheme import Scheme, read_scheme
from edgekit.errors import CheckpointError
from tests.prequantized import quantization_config


def scheme(config: dict[str, Any]) -> Scheme:
    return read_scheme(Fields(config, "config.json"))


GPTQ = quantization_config("gptq", 128)
AWQ = quantization_config("awq", 64)
ROUND = quantization_config("auto-round", 32)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (GPTQ, Scheme("gptq", (128,), less_one=True)),
        ({key: value for key, value in GPTQ.items() if key != "checkpoint_format"}, Scheme("gptq", (128,), True)),
        (quantization_config("gptq_v2", 32), Scheme("gptq", (32,))),
        (GPTQ | {"desc_act": True}, Scheme("gptq", (128,), True, act_order=True)),
        (GPTQ | {"meta": {"quantizer": "gptqmodel:1.4.0"}}, Scheme("gptq", (128,), True, carries=True)),
        (GPTQ | {"meta": {"quantizer": ["other:1", "GPTQModel:2"]}}, Scheme("gptq", (128,), True, carries=True)),
        (GPTQ | {"meta": {"quantizer": "auto_gptq:1"}}, Scheme("gptq", (128,), True)),
        (GPTQ | {"dynamic": {"a": {"group_size": 32}, "b": {"group_size": 7}}}, Scheme("gptq", (128, 32), True)),
        (AWQ, Scheme("awq", (64,))),
        (AWQ | {"version": "GEMM"}, Scheme("awq", (64,))),
        (ROUND, Scheme("gptq", (32,), less_one=True)),
        (quantization_config("auto-round_v2", 128), Scheme("gptq", (128,))),
        (ROUND | {"packing_format": "auto_round:auto_awq"}, Scheme("awq", (32,))),
        (ROUND | {"extra_config": {"x": {"group_size": 128}}}, Scheme("gptq", (32, 128), True)),
        (quantization_config("compressed-tensors", 128), Scheme("compressed-tensors", (128,))),
        (quantization_config("compressed-tensors", -1), Scheme("compressed-tensors", (-1,))),
    ],
)
def test_a_scheme_is_read_in_its_tool_s_words(config: dict[str, Any], expected: Scheme) -> None:
    assert scheme(config) == expected


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (GPTQ | {"bits": 8}, "GPTQ weights of 8 bits"),
        (GPTQ | {"group_size": 96}, r"one scale per 96 inputs \(group_size 96\)"),
        (GPTQ | {"checkpoint_format": "marlin"}, "GPTQ weights in the format 'marlin'"),
        (GPTQ | {"is_marlin_format": True}, "GPTQ weights in the format 'marlin'"),
        (GPTQ | {"format": "gptq_v2"}, "what 'format' says, 'gptq_v2'"),
        (AWQ | {"version": "gemv"}, "AWQ weights in the format 'gemv'"),
        (AWQ | {"backend": "llm-awq"}, "AWQ weights in the format 'llm-awq'"),
        (ROUND | {"packing_format": "odd"}, "AutoRound weights in the format 'odd'"),
        (ROUND | {"act_bits": 8}, "for activations of 8 bits"),
        (ROUND | {"data_type": "mx_fp"}, "of the type 'mx_fp'"),
        (ROUND | {"rotation_config": {"x": 1}}, r"that were rotated \(rotation_config\)"),
        ({"quant_method": "bitsandbytes"}, "quant_method"),
    ],
)
def test_a_scheme_that_is_not_read_is_called_by_its_name(config: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        scheme(config)
