"""The same Llama with its channels in another order: it computes what it did, and its weights group differently.

Weights that were rounded in blocks once lie on a grid that a quantizer with the same blocks finds again, so what it
costs can't be measured on them. Permutations that cancel out between layers mix the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Order = npt.NDArray[np.int64]


def permute(model: Any, seed: int) -> None:
    """Reorder in place a ``transformers.LlamaForCausalLM`` without biases, by random permutations of ``seed``.

    Hidden channels, each layer's MLP channels, its key-value heads, the query heads that read each of them, and the
    channels of each value head. The channels of queries and keys stay: rotary embedding tells them apart.
    """
    random, text = np.random.default_rng(seed), model.config
    head_dim = text.head_dim
    group = text.num_attention_heads // text.num_key_value_heads
    hidden = random.permutation(text.hidden_size)
    embedding, head = model.model.embed_tokens, model.lm_head
    _reorder(embedding, columns=hidden)
    if head.weight is not embedding.weight:
        _reorder(head, columns=hidden)
    _reorder(model.model.norm, rows=hidden)
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        _reorder(layer.input_layernorm, rows=hidden)
        _reorder(layer.post_attention_layernorm, rows=hidden)
        kv_heads = random.permutation(text.num_key_value_heads)
        heads = np.concatenate([head * group + random.permutation(group) for head in kv_heads])
        within = [random.permutation(head_dim) for _ in range(text.num_key_value_heads)]
        _reorder(attention.q_proj, rows=_channels(heads, head_dim), columns=hidden)
        _reorder(attention.k_proj, rows=_channels(kv_heads, head_dim), columns=hidden)
        values = np.concatenate([head * head_dim + within[head] for head in kv_heads])
        read = np.concatenate([head * head_dim + within[head // group] for head in heads])
        _reorder(attention.v_proj, rows=values, columns=hidden)
        _reorder(attention.o_proj, rows=hidden, columns=read)
        wide = random.permutation(text.intermediate_size)
        _reorder(mlp.gate_proj, rows=wide, columns=hidden)
        _reorder(mlp.up_proj, rows=wide, columns=hidden)
        _reorder(mlp.down_proj, rows=hidden, columns=wide)


def _channels(heads: Order, head_dim: int) -> Order:
    """The channels of whole heads, each head's in their own order."""
    return (heads[:, None] * head_dim + np.arange(head_dim)).reshape(-1)


def _reorder(module: Any, rows: Order | None = None, columns: Order | None = None) -> None:
    weight = module.weight.data
    weight = weight if rows is None else weight[rows]
    module.weight.data = (weight if columns is None else weight[:, columns]).contiguous()
