"""LLaMA, Vicuna and Mistral (transformers' ``LlamaForCausalLM``, ``MistralForCausalLM``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.checkpoint.architectures.common import activation, check_multiple
from edgekit.checkpoint.architectures.rope import rope, rope_notes
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import DecoderSpec

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


_Kind = Literal["llama", "mistral"]
_DEFAULTS: dict[_Kind, _Defaults] = {
    "llama": _Defaults(ff=11008, kv_heads=None, context=2048, window=None),
    "mistral": _Defaults(ff=14336, kv_heads=8, context=131072, window=4096),
}


def read(config: Fields) -> DecoderSpec:
    """Read the config; :class:`CheckpointError` when widths don't fit. The context ends
    where a sliding window would begin to move.
    """
    kind = _kind(config)
    default = _DEFAULTS[kind]
    hidden, heads = config.count("hidden_size", 4096), config.count("num_attention_heads", 32)
    # An explicit null means "as many as heads" in both families; only a missing key is Mistral's 8.
    missing = default.kv_heads if "num_key_value_heads" not in config.values else None
    kv_heads = config.count("num_key_value_heads", missing or heads)
    check_multiple(config, "num_attention_heads", heads, "num_key_value_heads", kv_heads)
    if "head_dim" not in config:
        check_multiple(config, "hidden_size", hidden, "num_attention_heads", heads)
    head_dim = config.count("head_dim", hidden // heads)
    _check_whole_heads(config)
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
        context=min(_trained(config), _window(config) or _trained(config)),
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


def notes(config: Fields) -> tuple[str, ...]:
    """Say where the context that :func:`read` gives is not the one that config.json names, and why."""
    context, window = _trained(config), _window(config)
    said = rope_notes(config, context)
    if window is None or window >= context:
        return said
    slides = f"It attends to the last {window} tokens only (sliding_window), in a context of {context}"
    return (f"{slides}: up to {window} tokens that is all of them, so EdgeKit's context ends there.", *said)


def _kind(config: Fields) -> _Kind:
    return "mistral" if config.text("model_type") == "mistral" else "llama"


def _trained(config: Fields) -> int:
    return config.count("max_position_embeddings", _DEFAULTS[_kind(config)].context)


def _window(config: Fields) -> int | None:
    """Mistral's; transformers' LLaMA has none, whatever config.json says. An explicit null means none."""
    default = _DEFAULTS[_kind(config)].window
    if default is None or "sliding_window" not in config:
        return None if "sliding_window" in config.values else default
    return config.count("sliding_window")


def _check_whole_heads(config: Fields) -> None:
    """transformers ignores partial_rotary_factor here in one version, and fails by it in another."""
    for table in (config, config.table("rope_scaling"), config.table("rope_parameters")):
        if "partial_rotary_factor" in table and table.positive("partial_rotary_factor") != 1:
            raise table.error("partial_rotary_factor", "1, or missing: these models rotate whole heads")
