"""TinyLLaVA Factory: nested configs like Hugging Face's, wrapped modules (``_vision_tower``, ``_connector``)."""

from __future__ import annotations

from edgekit.checkpoint import pixels, template, tower
from edgekit.checkpoint.dialects import language
from edgekit.checkpoint.dialects.reading import Reading, mlp_parts, selected_layer
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source

NAME = "TinyLLaVA Factory"
MODEL_TYPES = ("tinyllava",)

_VISION = ("vision_tower._vision_tower.vision_model.", "vision_tower._vision_tower.")
_HEAD = "language_model.lm_head."


def claims(source: Source) -> bool:
    return source.model_type == "tinyllava" and "connector_type" in source.config


def read(source: Source, vision: Source | None) -> Reading:
    config = source.config
    name = config.text("vision_model_name_or_path", "")
    stored = tower.find(source, _VISION, config.table("vision_config"), vision, name)
    select = selected_layer(config, "vision_feature_layer", -2)
    tower_spec = stored.module.read(stored.config, select, _drops_first(config))

    decoder = language.find(source, _text(config), config, ("language_model.model.",), (_HEAD,))
    kind = config.text("connector_type")
    parts = mlp_parts(source, stored, tower_spec, decoder, kind, "connector._connector")
    image = pixels.image_spec(stored.source, tower_spec, config.text("image_aspect_ratio", "square"))
    return parts.read("tinyllava-factory", image, template.for_decoder(decoder.spec))


def _text(config: Fields) -> Fields:
    """The Factory fetches a language model's config by its name where there is none; its class's default is LLaMA."""
    described = config.table("text_config")
    if not described.values and (name := config.text("llm_model_name_or_path", "")):
        raise config.error("text_config", f"the config of {name[:80]}, which only its own folder says")
    return Fields({"model_type": "llama", **described.values}, described.origin)


def _drops_first(config: Fields) -> bool:
    """The Factory's "patch" leaves the first row out for SigLIP too, and with it a patch."""
    strategy = config.text("vision_feature_select_strategy", "patch")
    if strategy not in ("patch", "cls_patch"):
        raise config.error("vision_feature_select_strategy", '"patch" or "cls_patch"')
    return strategy == "patch"
