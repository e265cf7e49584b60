"""Phi-2 (transformers' ``PhiForCausalLM``): LayerNorm, attention beside the MLP, partly rotated heads, biases."""

from __future__ import annotations

from edgekit.checkpoint.architectures.common import activation, check_multiple
from edgekit.checkpoint.architectures.rope import rope, rope_notes
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import CheckpointError

KINDS = ("phi",)
NAMES = {
    "embedding": "embed_tokens",
    "norm": "final_layernorm",
    "layers.{}.norm1": "layers.{}.input_layernorm",
    "layers.{}.attn.q": "layers.{}.self_attn.q_proj",
    "layers.{}.attn.k": "layers.{}.self_attn.k_proj",
    "layers.{}.attn.v": "layers.{}.self_attn.v_proj",
    "layers.{}.attn.o": "layers.{}.self_attn.dense",
    "layers.{}.mlp.up": "layers.{}.mlp.fc1",
    "layers.{}.mlp.down": "layers.{}.mlp.fc2",
}


def read(config: Fields) -> DecoderSpec:
    """Read the config; :class:`CheckpointError` when widths don't fit, or queries and keys are normalised."""
    hidden, heads = config.count("hidden_size", 2048), config.count("num_attention_heads", 32)
    kv_heads = config.count("num_key_value_heads", heads)
    check_multiple(config, "hidden_size", hidden, "num_attention_heads", heads)
    check_multiple(config, "num_attention_heads", heads, "num_key_value_heads", kv_heads)
    if config.flag("qk_layernorm", False):
        raise CheckpointError(
            f"{config.origin} normalises queries and keys, which EdgeKit does not build for Phi",
            "Phi-2 itself does not: compare config.json with the published one.",
        )
    return DecoderSpec(
        kind="phi",
        hidden=hidden,
        layers=config.count("num_hidden_layers", 24),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=hidden // heads,
        ff=config.count("intermediate_size", 8192),
        vocab=config.count("vocab_size", 51200),
        context=_context(config),
        norm="layer",
        norm_eps=config.positive("layer_norm_eps", 1e-5),
        activation=activation(config, "hidden_act", "gelu_new"),
        gated=False,
        rope=rope(config, hidden // heads, partial=0.5),
        parallel=True,
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        head_bias=True,
        tied=config.flag("tie_word_embeddings", False),
    )


def notes(config: Fields) -> tuple[str, ...]:
    """Say what limits the context that :func:`read` gives."""
    return rope_notes(config, _context(config))


def _context(config: Fields) -> int:
    return config.count("max_position_embeddings", 2048)
