"""``LlavaForConditionalGeneration`` of transformers: nested configs, three generations of key names."""

from __future__ import annotations

from dataclasses import replace

from edgekit.checkpoint import pixels, template, tower
from edgekit.checkpoint.architectures.common import activation
from edgekit.checkpoint.dialects import language
from edgekit.checkpoint.dialects.reading import Parts, Reading, selected_layer
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import ProjectorSpec

NAME = "Hugging Face LLaVA"
MODEL_TYPES = ("llava",)

# Up to transformers 4.51; from 4.52; and version 5, which leaves "vision_model." out.
_VISION = (
    "vision_tower.vision_model.",
    "model.vision_tower.vision_model.",
    "vision_tower.",
    "model.vision_tower.",
)
_PROJECTOR = ("multi_modal_projector.", "model.multi_modal_projector.")
_DECODER = ("language_model.model.", "model.language_model.")
_HEAD = ("language_model.lm_head.", "lm_head.")

# LlavaConfig's own tower where config.json has no vision_config: CLIP-L/14 at 336.
_DEFAULT_TOWER = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
}


def claims(source: Source) -> bool:
    return source.model_type == "llava" and "mm_vision_tower" not in source.config


def read(source: Source, vision: Source | None) -> Reading:
    config = source.config
    text = _with_kind(config.table("text_config"), "llama")
    described = config.table("vision_config")
    own = _with_kind(described, "clip_vision_model") if described.values else Fields(_DEFAULT_TOWER, config.origin)
    stored = tower.find(source, _VISION, own, vision, own.text("_name_or_path", ""))
    tower_spec = stored.module.read(
        stored.config, selected_layer(config, "vision_feature_layer", -2), _drops_first(config)
    )

    decoder = language.find(source, text, config, _DECODER, _HEAD)
    # Phi's head has a bias, which LLaVA lost in transformers 4.52.
    decoder = replace(decoder, spec=replace(decoder.spec, head_bias=decoder.head + "bias" in source.tensors))
    projector = ProjectorSpec(
        (tower_spec.hidden, decoder.spec.hidden, decoder.spec.hidden),
        activation(config, "projector_hidden_act", "gelu"),
        config.flag("multimodal_projector_bias", True),
    )
    prefix = source.prefix(_PROJECTOR, "linear_1.weight") or _PROJECTOR[0]
    parts = Parts(
        source=source,
        tower=stored,
        vision=tower_spec,
        projector=projector,
        projector_names=[f"{prefix}linear_1", f"{prefix}linear_2"],
        decoder=decoder,
    )
    image = pixels.image_spec(source, tower_spec, None)
    written = template.from_chat_template(source) or template.for_decoder(decoder.spec)
    return parts.read("llava-hf", image, written, template.notes(source))


def _with_kind(config: Fields, default: str) -> Fields:
    return Fields({"model_type": default, **config.values}, config.origin)


def _drops_first(config: Fields) -> bool:
    strategy = config.text("vision_feature_select_strategy", "default")
    if strategy not in ("default", "full"):
        raise config.error("vision_feature_select_strategy", '"default" or "full"')
    return strategy == "default"
