"""Rotary tables against transformers' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, PhiConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi.modeling_phi import PhiRotaryEmbedding

from edgekit.checkpoint.spec import RopeSpec
from edgekit.export.rope import tables

LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
CASES: list[tuple[RopeSpec, dict[str, Any]]] = [
    (RopeSpec(theta=10000.0, dim=48), {"rope_type": "default", "rope_theta": 10000.0}),
    (RopeSpec(theta=1e6, dim=128), {"rope_type": "default", "rope_theta": 1e6}),
    (
        RopeSpec(theta=10000.0, dim=48, scaling="linear", factor=4.0),
        {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0},
    ),
    (
        RopeSpec(
            theta=500000.0,
            dim=64,
            scaling="llama3",
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_context=64,
        ),
        {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, **LLAMA3},
    ),
]


def oracle(model: Any, positions: int) -> tuple[Any, Any]:
    cos, sin = model(torch.zeros(1, 1, 1), torch.arange(positions)[None])
    half = cos.shape[-1] // 2
    return cos[0, :, :half].numpy(), sin[0, :, :half].numpy()


@pytest.mark.parametrize(("rope", "parameters"), CASES, ids=["plain", "wide", "linear", "llama3"])
def test_tables_are_the_models_own(rope: RopeSpec, parameters: dict[str, Any]) -> None:
    config = LlamaConfig(head_dim=rope.dim, max_position_embeddings=4096, rope_parameters=parameters)
    expected = oracle(LlamaRotaryEmbedding(config), 4096)
    for got, want in zip(tables(rope, 4096), expected, strict=True):
        assert got.dtype == np.float32
        assert got.shape == (4096, rope.dim // 2)
        # The last bit of a frequency is up to 2⁻²³ of it: times 4,096 positions, 5e-4 in an angle.
        np.testing.assert_allclose(got, want, atol=5e-4)
        np.testing.assert_allclose(got[:64], want[:64], atol=1e-5)


def test_a_partial_rotation_has_its_own_frequencies() -> None:
    parameters = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.4}
    config = PhiConfig(hidden_size=160, num_attention_heads=2, rope_parameters=parameters)
    expected = oracle(PhiRotaryEmbedding(config), 64)
    for got, want in zip(tables(RopeSpec(theta=10000.0, dim=32), 64), expected, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)
