"""A mixture of experts is named by its tensors or its config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checkpoints import Tiny
from tests.unit.checkpoint.forms.case import copied, refused, save_beside

EXPERT = "model.layers.0.mlp.deepspeed_moe"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (f"{EXPERT}.experts.deepspeed_experts.0.fc1.weight", "as Med-MoE's models do"),
        (f"{EXPERT}.gate.wg.weight", "as Med-MoE's models do"),
        ("model.layers.0.block_sparse_moe.experts.1.w1.weight", "block_sparse_moe"),
        ("model.layers.3.mlp.experts.gate_up_proj", "mlp.experts"),
    ],
)
def test_experts_are_named_by_their_tensors(whole: Tiny, tmp_path: Path, name: str, shown: str) -> None:
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)})
    refused(path, shown, "dense")


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "moe_llava_phi"},
        {"moe": {"moe_enable": True, "num_experts": [4]}},
        {"num_local_experts": 8},
        {"text_config": {"model_type": "qwen2_moe", "num_experts": 60}},
    ],
)
def test_experts_are_named_by_the_config_even_where_weights_are_pickles(
    whole: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    (path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    config = json.loads((path / "config.json").read_text()) | changes
    (path / "config.json").write_text(json.dumps(config))
    refused(path, "mixture of experts", "dense")
