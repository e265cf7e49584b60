"""LLaMA, Vicuna and Mistral (transformers' ``LlamaForCausalLM``, ``MistralForCausalLM``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.checkpoint.architectures.common import activation, check_multiple
from edgekit.checkpoint.architectures.rope import rope
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import CheckpointError

KINDS = ("llama", "mistral")
NAMES = {
    "embedding": "embed_tokens",
    "norm": "norm",
    "layers.{}.norm1": "layers.{}.input_layernorm",
    "layers.{}.norm2": "layers.{}.post_attention_layernorm",
    "layers.{}.attn.q": "layers.{}.self_attn.q_proj",
    "layers.{}.attn.k": "layers.{}.self_attn.k_proj",
    "layers.{}.attn.v": "layers.{}.self_attn.v_proj",
    "layers.{}.attn.o": "layers.{}.self_attn.o_proj",
    "layers.{}.mlp.gate": "layers.{}.mlp.gate_proj",
    "layers.{}.mlp.up": "layers.{}.mlp.up_proj",
    "layers.{}.mlp.down": "layers.{}.mlp.down_proj",
}


@dataclass(frozen=True)
class _Defaults:
    """Where the two families' defaults differ."""

    ff: int
    kv_heads: int | None
    context: int
    window: int | None


_LLAMA = _Defaults(ff=11008, kv_heads=None, context=2048, window=None)
_MISTRAL = _Defaults(ff=14336, kv_heads=8, context=131072, window=4096)


def read(config: Fields) -> DecoderSpec:
    """A :class:`CheckpointError` when widths don't fit, or a sliding window is shorter than the context."""
    kind: Literal["llama", "mistral"] = "mistral" if config.text("model_type") == "mistral" else "llama"
    default = _MISTRAL if kind == "mistral" else _LLAMA
    hidden, heads = config.count("hidden_size", 4096), config.count("num_attention_heads", 32)
    # An explicit null means "as many as heads" in both families; only a missing key is Mistral's 8.
    missing = default.kv_heads if "num_key_value_heads" not in config.values else None
    kv_heads = config.count("num_key_value_heads", missing or heads)
    check_multiple(config, "num_attention_heads", heads, "num_key_value_heads", kv_heads)
    if "head_dim" not in config:
        check_multiple(config, "hidden_size", hidden, "num_attention_heads", heads)
    head_dim = config.count("head_dim", hidden // heads)
    context = config.count("max_position_embeddings", default.context)
    if kind == "mistral":
        _check_window(config, context, default.window)
    attention_bias = kind == "llama" and config.flag("attention_bias", False)
    return DecoderSpec(
        kind=kind,
        hidden=hidden,
        layers=config.count("num_hidden_layers", 32),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ff=config.count("intermediate_size", default.ff),
        vocab=config.count("vocab_size", 32000),
        context=context,
        norm="rms",
        norm_eps=config.positive("rms_norm_eps", 1e-6),
        activation=activation(config, "hidden_act", "silu"),
        gated=True,
        rope=rope(config, head_dim),
        qkv_bias=attention_bias,
        out_bias=attention_bias,
        mlp_bias=kind == "llama" and config.flag("mlp_bias", False),
        tied=config.flag("tie_word_embeddings", False),
    )


def _check_window(config: Fields, context: int, default: int | None) -> None:
    window = config.integer("sliding_window") if "sliding_window" in config else None
    if "sliding_window" not in config.values:
        window = default
    if window is not None and window < context:
        raise CheckpointError(
            f"{config.where} has a sliding window of {window} tokens in a context of {context}; "
            "EdgeKit attends to the whole context, which such a model was not trained for",
            f"Up to {window} tokens the two are the same: set max_position_embeddings to {window} in config.json.",
        )
