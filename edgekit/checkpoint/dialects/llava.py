"""LLaVA's own code and what grew from it: LLaVA-1.5, LLaVA-Med, TinyLLaVA's first releases.

One flat config (the language model's, with ``mm_*`` keys), and the tower, the projector and the language
model side by side under "model.".
"""

from __future__ import annotations

from edgekit.checkpoint import notice, pixels, template, tower
from edgekit.checkpoint.dialects import language
from edgekit.checkpoint.dialects.reading import Reading, mlp_parts, selected_layer
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source

NAME = "LLaVA, LLaVA-Med, TinyLLaVA"
_DECODERS = {
    "llava": "llama",
    "llava_llama": "llama",
    "llava_mistral": "mistral",
    "llava_phi": "phi",
    "tiny_llava": "llama",
    "tinyllava": "llama",
    "tiny_llava_llama": "llama",
    "tiny_llava_mistral": "mistral",
    "tiny_llava_phi": "phi",
}
MODEL_TYPES = tuple(kind for kind in _DECODERS if kind != "llava")

_VISION = (
    "model.vision_tower.vision_tower.vision_model.",
    "model.vision_tower.vision_tower.",
    "model.vision_tower.vision_model.",
    "model.vision_tower.",
)


def claims(source: Source) -> bool:
    return source.model_type in _DECODERS


def read(source: Source, vision: Source | None) -> Reading:
    config = source.config
    model_type = config.text("model_type")
    name = config.text("mm_vision_tower", "")
    stored = tower.find(source, _VISION, config.table("vision_config"), vision, name)
    select = selected_layer(config, "mm_vision_select_layer")
    tower_spec = stored.module.read(stored.config, select, _drops_first(config, stored))

    text = Fields({**config.values, "model_type": _DECODERS[model_type]}, config.origin)
    decoder = language.find(source, text, config, ("model.",), ("lm_head.",))
    kind = config.text("mm_projector_type", "linear")
    parts = mlp_parts(source, stored, tower_spec, decoder, kind, "model.mm_projector")
    image = pixels.image_spec(stored.source, tower_spec, config.text("image_aspect_ratio", "square"))
    return parts.read(
        _family(source, model_type), image, template.with_image_marks(template.for_decoder(decoder.spec), config)
    )


def _family(source: Source, model_type: str) -> str:
    if notice.is_llava_med(source):
        return "llava-med"
    return "tinyllava" if model_type.startswith("tiny") else "llava"


def _drops_first(config: Fields, stored: tower.StoredTower) -> bool:
    """Whether the class token is left out; LLaVA's SigLIP wrappers keep every row whatever the config says."""
    feature = config.text("mm_vision_select_feature", "patch")
    if feature not in ("patch", "cls_patch"):
        raise config.error("mm_vision_select_feature", '"patch" or "cls_patch"')
    return feature == "patch" and "cls" in stored.module.NAMES
