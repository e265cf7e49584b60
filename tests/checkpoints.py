"""Tiny random checkpoints in every layout that EdgeKit reads, each with transformers' own model beside it.

The widths are odd on purpose: grouped heads 6:2 of 48, an MLP that is no multiple of a quantization
group, a vocabulary padded beyond the tokenizer's. One transformers ``LlavaForConditionalGeneration`` is
the oracle for every layout, because all of them are the same computation under other names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Layout = Literal["hf", "hf-4.52", "hf-5", "llava", "tinyllava", "factory"]
LAYOUTS: tuple[Layout, ...] = ("hf", "hf-4.52", "hf-5", "llava", "tinyllava", "factory")
DecoderKind = Literal["llama", "mistral", "phi"]
TowerKind = Literal["clip", "siglip"]

VOCAB = 320
IMAGE_SIZE, PATCH = 28, 7
UNK, BOS, EOS, PAD, IMAGE = 0, 1, 2, 3, 4
SPECIALS = ("<unk>", "<s>", "</s>", "<pad>", "<image>")
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
LINES = (
    "A chat between a curious user and an artificial intelligence assistant. USER: what is shown? ASSISTANT: yes",
    "[INST] Is there a pleural effusion in the left lung? [/INST] no, the lung is clear and the heart is normal",
    "Which modality is this image: a chest radiograph, a computed tomography, or magnetic resonance?",
)

_LLAMA: dict[str, Any] = {
    "hidden_size": 288,
    "intermediate_size": 200,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 48,
    "vocab_size": VOCAB,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
}
_PHI: dict[str, Any] = {
    "hidden_size": 160,
    "intermediate_size": 200,
    "num_hidden_layers": 2,
    "num_attention_heads": 5,
    "vocab_size": VOCAB,
    "max_position_embeddings": 512,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
}
_TOWER: dict[str, Any] = {
    "hidden_size": 72,
    "intermediate_size": 100,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "image_size": IMAGE_SIZE,
    "patch_size": PATCH,
}


FAMILIES: list[tuple[Layout, DecoderKind, TowerKind, dict[str, Any]]] = [
    ("hf", "llama", "clip", {}),
    ("hf", "phi", "siglip", {}),
    ("hf-5", "llama", "clip", {"text": {"tie_word_embeddings": True}}),
    ("llava", "mistral", "clip", {"text": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}}),
    ("factory", "llama", "siglip", {"dtype": "float16"}),
]
"""Every layout, decoder and tower at least once, and what may differ: a tied head, rope, stored dtype."""


@dataclass(frozen=True)
class Tiny:
    """A written checkpoint: its directory, the oracle (``LlavaForConditionalGeneration``, fp32, eval) and its keys."""

    path: Path
    layout: Layout
    model: Any
    keys: tuple[str, ...] = field(repr=False)

    def image_features(self, pixels: Any) -> Any:
        """The projector's output for float32 pixels ``[n, 3, size, size]``: numpy ``[n, tokens, hidden]``."""
        import torch

        with torch.no_grad():
            features = self.model.model.get_image_features(torch.as_tensor(pixels), return_dict=True).pooler_output
        return torch.stack(list(features)).numpy()

    def logits(self, embeds: Any) -> Any:
        """The decoder's logits at every position of ``[rows, length, hidden]``: numpy ``[rows, length, vocab]``."""
        import torch

        with torch.no_grad():
            hidden = self.model.model.language_model(inputs_embeds=torch.as_tensor(embeds)).last_hidden_state
            return self.model.lm_head(hidden).numpy()


def write_checkpoint(
    directory: Path,
    layout: Layout = "hf",
    decoder: DecoderKind = "llama",
    tower: TowerKind = "clip",
    *,
    projector: str = "mlp2x_gelu",
    dtype: str = "float32",
    seed: int = 0,
    shards: int = 1,
    with_vision: bool = True,
    text: Mapping[str, Any] | None = None,
    vision: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Tiny:
    """Write a random checkpoint; ``text``, ``vision`` and ``config`` override keys of the three configs.

    ``projector`` is "linear" or "mlpNx_gelu" (HF layouts know mlp2x only); ``dtype`` is the stored one,
    and the oracle holds the same rounded values in float32. Without ``with_vision`` the tower is left out.
    """
    import torch

    model = _model(layout, decoder, tower, projector, text or {}, vision or {})
    _randomize(model, seed)
    stored = getattr(torch, dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(stored).float())
    tensors = {key: value.to(stored).contiguous() for key, value in renamed(model, layout, projector)}
    if not with_vision:
        tensors = {key: value for key, value in tensors.items() if "vision" not in key}
    directory.mkdir(parents=True, exist_ok=True)
    _save(tensors, directory, shards)
    written = (
        _hf_config(model, layout, dtype) if layout.startswith("hf") else _original_config(model, layout, projector)
    )
    _write_json(directory / "config.json", {**written, **(config or {})})
    _write_preprocessor(directory, tower)
    write_tokenizer(directory)
    _write_json(directory / "generation_config.json", {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD})
    return Tiny(directory, layout, model, tuple(tensors))


def write_tower(directory: Path, tiny: Tiny) -> Path:
    """Write the oracle's vision tower alone, as ``CLIPVisionModel`` or ``SiglipVisionModel`` would be saved."""
    directory.mkdir(parents=True, exist_ok=True)
    state = {f"vision_model.{key}": value for key, value in tiny.model.model.vision_tower.state_dict().items()}
    _save({key: value for key, value in state.items() if "position_ids" not in key}, directory, 1)
    _write_json(directory / "config.json", tiny.model.config.vision_config.to_dict())
    _write_preprocessor(directory, "clip" if "clip" in tiny.model.config.vision_config.model_type else "siglip")
    return directory


def write_tokenizer(directory: Path) -> None:
    """A byte-level BPE that can write anything, with Llama's special tokens; it puts <s> in front."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB - 12,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIALS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", BOS)]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(
        directory / "tokenizer_config.json",
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "add_bos_token": True},
    )


def _model(
    layout: Layout,
    decoder: DecoderKind,
    tower: TowerKind,
    projector: str,
    text: Mapping[str, Any],
    vision: Mapping[str, Any],
) -> Any:
    import torch
    import transformers

    families: dict[str, Callable[..., Any]] = {
        "llama": transformers.LlamaConfig,
        "mistral": transformers.MistralConfig,
        "phi": transformers.PhiConfig,
    }
    towers: dict[str, Callable[..., Any]] = {
        "clip": transformers.CLIPVisionConfig,
        "siglip": transformers.SiglipVisionConfig,
    }
    defaults = _PHI if decoder == "phi" else _LLAMA | ({"sliding_window": None} if decoder == "mistral" else {})
    config = transformers.LlavaConfig(
        vision_config=towers[tower](**(_TOWER | dict(vision))),
        text_config=families[decoder](**(defaults | dict(text))),
        image_token_index=IMAGE,
        # TinyLLaVA Factory leaves the first row out for SigLIP too.
        vision_feature_select_strategy="default" if tower == "clip" or layout == "factory" else "full",
    )
    # Eager attention: fp32 sums in the plainest order, so that tolerances mean the same everywhere.
    config._attn_implementation = "eager"
    model = transformers.LlavaForConditionalGeneration(config).eval()
    if projector != "mlp2x_gelu":
        depth = 1 if projector == "linear" else int(projector[len("mlp") : projector.index("x_")])
        model.model.multi_modal_projector = _sequential(torch.nn, depth, config)
    if decoder == "phi" and layout not in ("hf-4.52", "hf-5"):
        # PhiForCausalLM has a bias on its head; LLaVA in transformers lost it when it took over the head.
        model.lm_head = torch.nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size)
    return model


def _sequential(nn: Any, depth: int, config: Any) -> Any:
    hidden = config.text_config.hidden_size
    modules = [nn.Linear(config.vision_config.hidden_size, hidden)]
    for _ in range(1, depth):
        modules += [nn.GELU(), nn.Linear(hidden, hidden)]
    return nn.Sequential(*modules)


def _randomize(model: Any, seed: int) -> None:
    """Weights that keep activations near one: what a parity test compares is then neither flat nor saturated."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith(".bias"):
                parameter.copy_(0.1 * noise)
            elif parameter.dim() == 1 and "class_embedding" not in name:
                parameter.copy_(1.0 + 0.1 * noise)
            else:
                embedding = "embed_tokens" in name or "position_embedding" in name or "class_embedding" in name
                fan_in = 1 if embedding else math.prod(parameter.shape[1:])
                parameter.copy_(noise / math.sqrt(fan_in))


_PREFIXES: dict[Layout, dict[str, str]] = {
    "hf": {
        "model.vision_tower.": "vision_tower.vision_model.",
        "model.multi_modal_projector.": "multi_modal_projector.",
        "model.language_model.": "language_model.model.",
        "lm_head.": "language_model.lm_head.",
    },
    "hf-4.52": {"model.vision_tower.": "model.vision_tower.vision_model."},
    "hf-5": {
        "model.vision_tower.": "vision_tower.",
        "model.multi_modal_projector.": "multi_modal_projector.",
        "model.language_model.": "language_model.model.",
        "lm_head.": "language_model.lm_head.",
    },
    "llava": {
        "model.vision_tower.": "model.vision_tower.vision_tower.vision_model.",
        "model.multi_modal_projector.": "model.mm_projector.",
        "model.language_model.": "model.",
    },
    "factory": {
        "model.vision_tower.": "vision_tower._vision_tower.vision_model.",
        "model.multi_modal_projector.": "connector._connector.",
        "model.language_model.": "language_model.model.",
        "lm_head.": "language_model.lm_head.",
    },
}
_PREFIXES["tinyllava"] = _PREFIXES["llava"]


def renamed(model: Any, layout: Layout, projector: str) -> Iterator[tuple[str, Any]]:
    """Every tensor of the oracle under the name that ``layout`` stores it by."""
    tied = model.config.text_config.tie_word_embeddings
    for key, value in model.state_dict().items():
        if "position_ids" in key or (tied and key.startswith("lm_head.")):
            continue
        if not layout.startswith("hf"):
            key = key.replace("projector.linear_1.", "projector.0.").replace("projector.linear_2.", "projector.2.")
        # A lone Linear is "mm_projector.weight" in LLaVA's own code, without a number.
        if not layout.startswith("hf") and projector == "linear":
            key = key.replace("projector.0.", "projector.")
        for old, new in _PREFIXES[layout].items():
            if key.startswith(old):
                key = new + key.removeprefix(old)
                break
        yield key, value


def _save(tensors: Mapping[str, Any], directory: Path, shards: int) -> None:
    from safetensors.torch import save_file

    if shards == 1:
        save_file(dict(tensors), directory / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map: dict[str, str] = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {key: tensors[key] for key in list(tensors)[shard::shards]}
        save_file(part, directory / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
    total = sum(value.nbytes for value in tensors.values())
    _write_json(
        directory / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map}
    )


def _hf_config(model: Any, layout: Layout, dtype: str) -> dict[str, Any]:
    """config.json as transformers writes it; before version 5, rope settings and dtype had other names."""
    config: dict[str, Any] = json.loads(model.config.to_json_string(use_diff=True))
    if layout == "hf-5":
        return config | {"dtype": dtype}
    config.pop("dtype", None)
    text = _plain_rope(config["text_config"])
    if layout == "hf":
        # What the hub's old checkpoints look like: a key that holds its default is not written at all.
        defaults = type(model.config.text_config)().to_dict()
        text = {k: v for k, v in text.items() if k in ("model_type", "vocab_size") or defaults.get(k, ...) != v}
    return config | {"text_config": text, "torch_dtype": dtype, "transformers_version": "4.36.0"}


def _plain_rope(text: Mapping[str, Any]) -> dict[str, Any]:
    """transformers 4's keys: rope_theta, partial_rotary_factor and rope_scaling in place of rope_parameters."""
    plain = dict(text)
    rope = dict(plain.pop("rope_parameters", None) or {})
    plain["rope_theta"] = rope.pop("rope_theta", 10000.0)
    if "partial_rotary_factor" in rope:
        plain["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    plain["rope_scaling"] = None if rope.get("rope_type", "default") == "default" else rope
    return plain


def _original_config(model: Any, layout: Layout, projector: str) -> dict[str, Any]:
    """config.json of LLaVA's own code (flat) or TinyLLaVA Factory's (nested configs)."""
    text = _plain_rope(model.config.text_config.to_dict())
    vision = model.config.vision_config.to_dict()
    kind = text.pop("model_type")
    tower = f"tiny/{'clip' if 'clip' in vision['model_type'] else 'siglip'}-p{PATCH}-{IMAGE_SIZE}"
    if layout == "factory":
        return {
            "model_type": "tinyllava",
            "architectures": ["TinyLlavaForConditionalGeneration"],
            "llm_model_name_or_path": f"tiny/{kind}",
            "vision_model_name_or_path": tower,
            "connector_type": projector,
            "vision_feature_layer": -2,
            "vision_feature_select_strategy": "patch",
            "image_aspect_ratio": "pad",
            "hidden_size": text["hidden_size"],
            "vision_hidden_size": vision["hidden_size"],
            "text_config": text | {"model_type": kind},
            "vision_config": vision,
            "tokenizer_model_max_length": 512,
        }
    model_type = {"llava": f"llava_{kind}", "tinyllava": "tinyllava" if kind == "llama" else f"tiny_llava_{kind}"}
    return text | {
        "model_type": model_type[layout],
        "mm_vision_tower": tower,
        "mm_hidden_size": vision["hidden_size"],
        "mm_projector_type": projector,
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "image_aspect_ratio": "pad",
        "vision_config": vision,
    }


def _write_preprocessor(directory: Path, tower: TowerKind) -> None:
    size = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    clip = {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": IMAGE_SIZE},
        "do_center_crop": True,
        "crop_size": size,
        "image_mean": CLIP_MEAN,
        "image_std": CLIP_STD,
        "resample": 3,
    }
    siglip = {
        "image_processor_type": "SiglipImageProcessor",
        "do_resize": True,
        "size": size,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "resample": 3,
    }
    _write_json(directory / "preprocessor_config.json", clip if tower == "clip" else siglip)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1))
