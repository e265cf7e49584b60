"""The published towers that this family names in place of a config, with what does not show in their tensors.

Heads, the activation, the norm's epsilon and the depth before layers were left out are not written in a tensor's
shape: OpenAI's CLIP computes with quick_gelu, LAION's of the very same shapes with gelu. So only a name that stands
here says them; the figures are those of the models' own config.json on the hub.
"""

from __future__ import annotations

import re
from typing import Any

_CLIP = {"model_type": "clip_vision_model", "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
_SIGLIP = {"model_type": "siglip_vision_model", "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}
_WIDTHS = {
    "base": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    "large": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16},
    "so400m": {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16},
}


def _config(kind: dict[str, Any], width: str, patch: int, size: int) -> dict[str, Any]:
    return {**kind, **_WIDTHS[width], "patch_size": patch, "image_size": size}


_SO400M_384 = _config(_SIGLIP, "so400m", 14, 384)
_TOWERS: dict[str, dict[str, Any]] = {
    "openai/clip-vit-base-patch32": _config(_CLIP, "base", 32, 224),
    "openai/clip-vit-base-patch16": _config(_CLIP, "base", 16, 224),
    "openai/clip-vit-large-patch14": _config(_CLIP, "large", 14, 224),
    "openai/clip-vit-large-patch14-336": _config(_CLIP, "large", 14, 336),
    **{f"google/siglip-base-patch16-{size}": _config(_SIGLIP, "base", 16, size) for size in (224, 256, 384, 512)},
    **{f"google/siglip-large-patch16-{size}": _config(_SIGLIP, "large", 16, size) for size in (256, 384)},
    "google/siglip-so400m-patch14-224": _config(_SIGLIP, "so400m", 14, 224),
    "google/siglip-so400m-patch14-384": _SO400M_384,
    # Copies of the last, trained on with TinyLLaVA.
    **{f"bczhou/TinyLLaVA-{size}-SigLIP": _SO400M_384 for size in ("1.5B", "2.0B", "3.1B")},
}
_PATH = re.compile(r"(?:~|\.{0,2})/")
_CACHED = re.compile(r"models--([\w.-]+?)--([\w.-]+)/snapshots/[^/]+")


def published(name: str) -> tuple[str, dict[str, Any]] | None:
    """Return (the published tower that ``name`` means, its config); None where the name says nothing.

    ``name`` is a hub's name, or a path whose last folder is called like one (also in a hub's cache). Another's
    model of the same last name, as in "laion/clip-vit-large-patch14", is another's.
    """
    stripped = name.strip().rstrip("/")
    if stripped in _TOWERS:
        return stripped, _TOWERS[stripped]
    if not _PATH.match(stripped):
        return None
    if cached := _CACHED.search(stripped):
        full = f"{cached[1]}/{cached[2]}"
        return (full, _TOWERS[full]) if full in _TOWERS else None
    last = stripped.rsplit("/", 1)[-1]
    full = next((full for full in _TOWERS if full.split("/")[1] == last), "")
    return (full, _TOWERS[full]) if full else None
