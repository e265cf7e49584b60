"""TinyLLaVA Factory: nested configs like Hugging Face's, wrapped modules (``_vision_tower``, ``_connector``)."""

from __future__ import annotations

from edgekit.checkpoint import pixels, template, tower
from edgekit.checkpoint.architectures import find_decoder
from edgekit.checkpoint.dialects.reading import (
    Parts,
    Reading,
    decoder_prefix,
    mlp_names,
    mlp_projector,
    untie_if_stored,
)
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
    select = config.integer("vision_feature_layer", -2)
    tower_spec = stored.module.read(stored.config, select, _drops_first(config))

    described = config.table("text_config")
    text = Fields({"model_type": "llama", **described.values}, described.where)
    module = find_decoder(text.text("model_type"), text.where)
    decoder = untie_if_stored(module.read(text), source, _HEAD, config)
    kind = config.text("connector_type")
    projector = mlp_projector(kind, tower_spec, decoder, config.where)
    parts = Parts(
        source=source,
        tower=stored,
        vision=tower_spec,
        projector=projector,
        projector_names=mlp_names("connector._connector", kind, len(projector.widths) - 1),
        decoder_module=module,
        decoder=decoder,
        decoder_prefix=decoder_prefix(source, ("language_model.model.",)),
        head_prefix=_HEAD,
    )
    image = pixels.image_spec(stored.source, tower_spec, config.text("image_aspect_ratio", "square"))
    return parts.read("tinyllava-factory", image, template.for_decoder(decoder))


def _drops_first(config: Fields) -> bool:
    """The Factory's "patch" leaves the first row out for SigLIP too, and with it a patch."""
    strategy = config.text("vision_feature_select_strategy", "patch")
    if strategy not in ("patch", "cls_patch"):
        raise config.error("vision_feature_select_strategy", '"patch" or "cls_patch"')
    return strategy == "patch"
