"""CLIP's vision tower (transformers' ``CLIPVisionModel``): a class token, a norm before the first layer."""

from __future__ import annotations

from edgekit.checkpoint.architectures.common import activation, check_multiple, selected_layers, side
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import VisionSpec

KINDS = ("clip_vision_model", "clip")
NAMES = {
    "patch": "embeddings.patch_embedding",
    "cls": "embeddings.class_embedding",
    "position": "embeddings.position_embedding",
    "pre_norm": "pre_layrnorm",  # Spelled so in every published checkpoint.
    "layers.{}.norm1": "encoder.layers.{}.layer_norm1",
    "layers.{}.norm2": "encoder.layers.{}.layer_norm2",
    "layers.{}.attn.q": "encoder.layers.{}.self_attn.q_proj",
    "layers.{}.attn.k": "encoder.layers.{}.self_attn.k_proj",
    "layers.{}.attn.v": "encoder.layers.{}.self_attn.v_proj",
    "layers.{}.attn.o": "encoder.layers.{}.self_attn.out_proj",
    "layers.{}.mlp.up": "encoder.layers.{}.mlp.fc1",
    "layers.{}.mlp.down": "encoder.layers.{}.mlp.fc2",
    "post_norm": "post_layernorm",
}


def read(config: Fields, select: int, drop_cls: bool) -> VisionSpec:
    """Read the config; ``select`` is the index of the hidden state that the projector reads,
    ``drop_cls`` leaves its first row out.
    """
    hidden, heads = config.count("hidden_size", 768), config.count("num_attention_heads", 12)
    check_multiple(config, "hidden_size", hidden, "num_attention_heads", heads)
    size, patch = side(config, "image_size", 224), side(config, "patch_size", 32)
    return VisionSpec(
        kind="clip",
        hidden=hidden,
        layers=selected_layers(config, config.count("num_hidden_layers", 12), select),
        heads=heads,
        ff=config.count("intermediate_size", 3072),
        image_size=size,
        patch=patch,
        activation=activation(config, "hidden_act", "quick_gelu"),
        norm_eps=config.positive("layer_norm_eps", 1e-5),
        drop_cls=drop_cls,
    )
