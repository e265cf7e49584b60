"""SigLIP's vision tower (transformers' ``SiglipVisionModel``): no class token, a patch embedding with a bias."""

from __future__ import annotations

from edgekit.checkpoint.architectures import clip
from edgekit.checkpoint.architectures.common import activation, check_multiple, selected_layers, side
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.spec import VisionSpec

KINDS = ("siglip_vision_model", "siglip")
NAMES = {stem: name for stem, name in clip.NAMES.items() if stem not in ("cls", "pre_norm")}


def read(config: Fields, select: int, drop_cls: bool) -> VisionSpec:
    """Read the config as :func:`clip.read` does. With ``drop_cls`` the first patch is lost,
    as in the code that trained such a model.
    """
    hidden, heads = config.count("hidden_size", 768), config.count("num_attention_heads", 12)
    check_multiple(config, "hidden_size", hidden, "num_attention_heads", heads)
    return VisionSpec(
        kind="siglip",
        hidden=hidden,
        layers=selected_layers(config, config.count("num_hidden_layers", 12), select),
        heads=heads,
        ff=config.count("intermediate_size", 3072),
        image_size=side(config, "image_size", 224),
        patch=side(config, "patch_size", 16),
        activation=activation(config, "hidden_act", "gelu_pytorch_tanh"),
        norm_eps=config.positive("layer_norm_eps", 1e-6),
        drop_cls=drop_cls,
    )
