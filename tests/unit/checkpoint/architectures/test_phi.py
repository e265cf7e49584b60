"""Phi's config where it says nothing: transformers' own defaults."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import PhiConfig

from edgekit.checkpoint.architectures import phi
from edgekit.checkpoint.documents import Fields
from edgekit.errors import CheckpointError


def test_an_empty_config_is_transformers_default() -> None:
    theirs, spec = PhiConfig(), phi.read(Fields({}, "config.json"))
    assert (spec.hidden, spec.layers, spec.heads) == (
        theirs.hidden_size,
        theirs.num_hidden_layers,
        theirs.num_attention_heads,
    )
    assert (spec.kv_heads, spec.head_dim) == (spec.heads, theirs.hidden_size // theirs.num_attention_heads)
    assert (spec.ff, spec.vocab, spec.context) == (
        theirs.intermediate_size,
        theirs.vocab_size,
        theirs.max_position_embeddings,
    )
    assert (spec.norm_eps, spec.tied) == (theirs.layer_norm_eps, theirs.tie_word_embeddings)
    assert spec.rope.dim == spec.head_dim // 2
    assert (spec.parallel, spec.gated, spec.qkv_bias, spec.head_bias) == (True, False, True, True)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"qk_layernorm": True}, "normalises queries and keys"),
        ({"hidden_size": 2050}, "hidden_size"),
        ({"num_key_value_heads": 5}, "num_key_value_heads"),
    ],
)
def test_what_is_not_built_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        phi.read(Fields(config, "config.json"))
