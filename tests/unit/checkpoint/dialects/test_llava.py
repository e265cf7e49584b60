"""The released models open by their published configs and shapes: headers without weights, in sparse files."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import Layout, renamed, write_tokenizer

LLAVA_MED = {
    "_name_or_path": "mistralai/Mistral-7B-Instruct-v0.2",
    "model_type": "llava_mistral",
    "hidden_size": 4096,
    "image_aspect_ratio": "pad",
    "img_size": 640,
    "intermediate_size": 14336,
    "max_position_embeddings": 32768,
    "mm_hidden_size": 1024,
    "mm_projector_type": "mlp2x_gelu",
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": "openai/clip-vit-large-patch14-336",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0,
    "segtok_posembed": "sincos",
    "sliding_window": None,
    "tie_word_embeddings": False,
    "vocab_size": 32000,
}
TINYLLAVA = {
    "model_type": "tinyllava",
    "hidden_size": 2048,
    "image_aspect_ratio": "pad",
    "intermediate_size": 5632,
    "max_position_embeddings": 2048,
    "mm_hidden_size": 1152,
    "mm_projector_type": "mlp2x_gelu",
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": "bczhou/TinyLLaVA-1.5B-SigLIP",
    "num_attention_heads": 32,
    "num_hidden_layers": 22,
    "num_key_value_heads": 4,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "vocab_size": 32000,
}
CLIP_L = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "image_size": 336,
    "patch_size": 14,
}
SO400M = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}


def meta_model(config: dict[str, Any], vision: dict[str, Any]) -> Any:
    """The model on torch's meta device: names and shapes, and no memory."""
    import torch
    import transformers

    keys = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    text = {key: config[key] for key in keys} | {"vocab_size": config["vocab_size"]}
    tower = transformers.CLIPVisionConfig if vision is CLIP_L else transformers.SiglipVisionConfig
    llava = transformers.LlavaConfig(vision_config=tower(**vision), text_config=transformers.LlamaConfig(**text))
    with torch.device("meta"):
        return transformers.LlavaForConditionalGeneration(llava)


def write_headers(folder: Path, model: Any, layout: Layout, config: dict[str, Any], skip: str = "no such key") -> None:
    header, offset, ones = {}, 0, (0, b"")
    for name, tensor in renamed(model, layout, "mlp2x_gelu"):
        if skip in name:
            continue
        size = 2 * tensor.numel()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        if name.endswith("model.norm.weight"):  # all zeros, it would be a delta's
            ones = (offset, b"\x80\x3f" * tensor.numel())
        offset += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)
        file.seek(8 + len(text) + ones[0])
        file.write(ones[1])
    (folder / "config.json").write_text(json.dumps(config))
    write_tokenizer(folder)


def test_llava_med(tmp_path: Path) -> None:
    model = meta_model(LLAVA_MED, CLIP_L)
    write_headers(tmp_path, model, "llava", LLAVA_MED)
    checkpoint = open_checkpoint(tmp_path)
    spec = checkpoint.spec
    assert (spec.family, spec.tokens_per_image, spec.image.fit, spec.image.size) == ("llava-med", 576, "pad", 336)
    assert (spec.vision.layers, spec.vision.heads, spec.vision.activation) == (23, 16, "quick_gelu")
    assert (spec.decoder.kind, spec.decoder.kv_heads, spec.decoder.rope.theta) == ("mistral", 8, 1e6)
    assert spec.decoder.context == 32768
    assert spec.template.name == "mistral"
    assert "clinical use" in spec.intended_use
    assert inspect(checkpoint).parameters == used_parameters(model, "model.vision_tower.encoder.layers.23.")


def used_parameters(model: Any, dropped: str) -> int:
    """What the oracle counts, without the layers behind the selected one and what follows the tower."""
    unused = (dropped, "post_layernorm", "vision_tower.head.")
    return sum(p.numel() for name, p in model.named_parameters() if not any(part in name for part in unused))


@pytest.mark.parametrize("stored", [26, 27])
def test_tinyllava_with_the_last_layer_stored_or_not(tmp_path: Path, stored: int) -> None:
    model = meta_model(TINYLLAVA, SO400M)
    skip = "vision_model.encoder.layers.26." if stored == 26 else "no such key"
    write_headers(tmp_path, model, "tinyllava", TINYLLAVA, skip)
    checkpoint = open_checkpoint(tmp_path)
    spec = checkpoint.spec
    assert (spec.family, spec.tokens_per_image, spec.image.fit, spec.image.size) == ("tinyllava", 729, "pad", 384)
    assert (spec.vision.layers, spec.vision.heads, spec.vision.ff) == (26, 16, 4304)
    assert spec.image.mean == spec.image.std == (0.5, 0.5, 0.5)
    assert (spec.decoder.kind, spec.decoder.kv_heads, spec.decoder.layers) == ("llama", 4, 22)
    assert spec.template.name == "vicuna"
    assert inspect(checkpoint).parameters == used_parameters(model, "model.vision_tower.encoder.layers.26.")


def test_a_tower_that_is_not_the_one_it_is_named_after_needs_its_own_folder(tmp_path: Path) -> None:
    odd = SO400M | {"hidden_size": 576, "num_attention_heads": 9}
    write_headers(tmp_path, meta_model(TINYLLAVA, odd), "tinyllava", TINYLLAVA)
    with pytest.raises(CheckpointError, match=r"\[576, 3, 14, 14\]: of .*SigLIP it is \[1152, 3, 14, 14\]") as error:
        open_checkpoint(tmp_path)
    assert "--vision DIR" in error.value.hint
