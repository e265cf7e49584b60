"""Where a description of quantized weights is looked for, and which counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.described import find_in_config, find_quantization, method_of
from edgekit.checkpoint.source import Source


def source(folder: Path, **config: Any) -> Source:
    return Source(folder, Fields(config, "config.json"), {})


@pytest.mark.parametrize(
    "config",
    [
        {"quantization_config": {"quant_method": "gptq"}},
        {"compression_config": {"quant_method": "gptq"}},
        {"text_config": {"quantization_config": {"quant_method": "gptq"}}},
        {"llm_config": {"quantization_config": {"quant_method": "gptq"}}},
    ],
)
def test_the_config_says_it_at_its_top_or_within(tmp_path: Path, config: dict[str, Any]) -> None:
    assert method_of(find_quantization(source(tmp_path, **config))) == "gptq"
    assert method_of(find_in_config(source(tmp_path, **config))) == "gptq"


def test_a_file_beside_it_says_it_where_the_config_does_not(tmp_path: Path) -> None:
    (tmp_path / "quantize_config.json").write_text(json.dumps({"bits": 4, "group_size": 128}))
    beside = source(tmp_path)
    assert find_quantization(beside).values["bits"] == 4
    assert find_in_config(beside).values == {}
    both = source(tmp_path, quantization_config={"quant_method": "AWQ", "bits": 8})
    assert find_quantization(both).values["bits"] == 8


def test_autoawq_s_own_names_are_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "quant_config.json").write_text(json.dumps({"w_bit": 4, "q_group_size": 64}))
    values = find_quantization(source(tmp_path)).values
    assert (values["bits"], values["group_size"]) == (4, 64)


def test_nothing_said_is_empty(tmp_path: Path) -> None:
    assert find_quantization(source(tmp_path)).values == {}


@pytest.mark.parametrize(("said", "method"), [("AWQ", "awq"), ("compressed_tensors", "compressed-tensors"), (3, "")])
def test_a_method_is_compared_in_one_spelling(said: Any, method: str) -> None:
    assert method_of(Fields({"quant_method": said}, "config.json")) == method
