"""Write checkpoints of a real model's full shape, with random weights: what the scale benchmarks build.

    python -m tests.benchmarks.full_shape tiny DIR               10 MB, no published model: what the demo builds
    python -m tests.benchmarks.full_shape tinyllava-1.5b DIR     3.1 GB, LLaVA's own key names, SigLIP tower
    python -m tests.benchmarks.full_shape llava-med-7b DIR      15.1 GB in shards, CLIP tower

The configs are the published ones, as far as a reader looks at them. The weights are cut out of one block
of noise, so that the disk is the limit; the tokenizer has the right number of tokens, all of them bytes or
fillers. Answers are nonsense; sizes, shapes, names and times are real.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
SHARD_BYTES = 5 * 10**9
DTYPES = {"float16": ("F16", np.dtype(np.float16)), "bfloat16": ("BF16", np.dtype(ml_dtypes.bfloat16))}


@dataclass(frozen=True)
class Shapes:
    """A published model: its ``config`` and what its tower is like (SigLIP, or else CLIP)."""

    config: Mapping[str, Any]
    tower_hidden: int
    tower_ff: int
    tower_layers: int
    patch: int
    image_size: int
    siglip: bool


_COMMON = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "image_aspect_ratio": "pad",
    "mm_projector_type": "mlp2x_gelu",
    "mm_use_im_patch_token": False,
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "num_attention_heads": 32,
    "rms_norm_eps": 1e-05,
    "tie_word_embeddings": False,
    "tokenizer_model_max_length": 2048,
    "vocab_size": 32000,
}
MODELS = {
    "tiny": Shapes(  # no published model: what the demo builds
        {
            **_COMMON,
            "architectures": ["LlavaLlamaForCausalLM"],
            "model_type": "llava_llama",
            "hidden_size": 256,
            "intermediate_size": 768,
            "max_position_embeddings": 2048,
            "mm_hidden_size": 128,
            "mm_vision_tower": "tiny/siglip-patch16-112",
            "num_attention_heads": 8,
            "num_hidden_layers": 4,
            "num_key_value_heads": 2,
            "rope_theta": 10000.0,
            "vision_config": {
                "model_type": "siglip_vision_model",
                "hidden_size": 128,
                "image_size": 112,
                "intermediate_size": 512,
                "num_attention_heads": 4,
                "num_hidden_layers": 6,
                "patch_size": 16,
            },
            "vocab_size": 1024,
        },
        tower_hidden=128,
        tower_ff=512,
        tower_layers=6,
        patch=16,
        image_size=112,
        siglip=True,
    ),
    "tinyllava-1.5b": Shapes(
        {
            **_COMMON,
            "architectures": ["TinyLlavaLlamaForCausalLM"],
            "model_type": "tinyllava",
            "hidden_size": 2048,
            "intermediate_size": 5632,
            "max_position_embeddings": 2048,
            "mm_hidden_size": 1152,
            "mm_vision_tower": "bczhou/TinyLLaVA-1.5B-SigLIP",
            "num_hidden_layers": 22,
            "num_key_value_heads": 4,
            "rope_scaling": None,
            "rope_theta": 10000.0,
        },
        tower_hidden=1152,
        tower_ff=4304,
        tower_layers=27,
        patch=14,
        image_size=384,
        siglip=True,
    ),
    "llava-med-7b": Shapes(
        {
            **_COMMON,
            "architectures": ["LlavaMistralForCausalLM"],
            "model_type": "llava_mistral",
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "max_position_embeddings": 32768,
            "mm_hidden_size": 1024,
            "mm_vision_tower": "openai/clip-vit-large-patch14-336",
            "num_hidden_layers": 32,
            "num_key_value_heads": 8,
            "rope_theta": 1000000.0,
            "sliding_window": None,
        },
        tower_hidden=1024,
        tower_ff=4096,
        tower_layers=24,
        patch=14,
        image_size=336,
        siglip=False,
    ),
}


def tensors(model: Shapes) -> Iterator[tuple[str, Shape]]:
    """Every stored tensor by LLaVA's own name, tower layers that nobody reads among them."""
    yield from _decoder(model.config)
    yield from _tower(model)
    hidden, width = model.config["hidden_size"], model.tower_hidden
    for index, shape in ((0, (hidden, width)), (2, (hidden, hidden))):
        yield f"model.mm_projector.{index}.weight", shape
        yield f"model.mm_projector.{index}.bias", shape[:1]


def _decoder(config: Mapping[str, Any]) -> Iterator[tuple[str, Shape]]:
    hidden, ff = config["hidden_size"], config["intermediate_size"]
    kv = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    yield "model.embed_tokens.weight", (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        for name, rows in (("q", hidden), ("k", kv), ("v", kv), ("o", hidden)):
            yield f"{at}.self_attn.{name}_proj.weight", (rows, hidden)
        yield f"{at}.mlp.gate_proj.weight", (ff, hidden)
        yield f"{at}.mlp.up_proj.weight", (ff, hidden)
        yield f"{at}.mlp.down_proj.weight", (hidden, ff)
        yield f"{at}.input_layernorm.weight", (hidden,)
        yield f"{at}.post_attention_layernorm.weight", (hidden,)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (config["vocab_size"], hidden)


def _tower(model: Shapes) -> Iterator[tuple[str, Shape]]:
    at, width = "model.vision_tower.vision_tower.vision_model", model.tower_hidden
    patches = (model.image_size // model.patch) ** 2
    yield f"{at}.embeddings.patch_embedding.weight", (width, 3, model.patch, model.patch)
    yield f"{at}.embeddings.position_embedding.weight", (patches + (not model.siglip), width)
    if model.siglip:
        yield f"{at}.embeddings.patch_embedding.bias", (width,)
    else:
        yield f"{at}.embeddings.class_embedding", (width,)
        yield from _affine(f"{at}.pre_layrnorm", (width,))  # spelled so in CLIP
    for layer in range(model.tower_layers):
        yield from _block(f"{at}.encoder.layers.{layer}", width, model.tower_ff)
    yield from _affine(f"{at}.post_layernorm", (width,))


def _block(at: str, width: int, ff: int) -> Iterator[tuple[str, Shape]]:
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        yield from _affine(f"{at}.self_attn.{name}", (width, width))
    yield from _affine(f"{at}.mlp.fc1", (ff, width))
    yield from _affine(f"{at}.mlp.fc2", (width, ff))
    yield from _affine(f"{at}.layer_norm1", (width,))
    yield from _affine(f"{at}.layer_norm2", (width,))


def _affine(at: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{at}.weight", shape
    yield f"{at}.bias", shape[:1]


def write(name: str, directory: Path, dtype: str = "float16") -> int:
    """Write the named model to ``directory`` (nothing to do when it is there); its bytes of weights."""
    model = MODELS[name]
    shards = list(_shards(list(tensors(model))))
    total = sum(2 * math.prod(shape) for shard in shards for _, shape in shard)
    if (directory / "config.json").is_file():
        return total
    directory.mkdir(parents=True, exist_ok=True)
    noise = (np.random.default_rng(0).standard_normal(8 * 2**20, np.float32) * 0.02).astype(DTYPES[dtype][1])
    weight_map: dict[str, str] = {}
    for index, shard in enumerate(shards):
        file = f"model-{index + 1:05d}-of-{len(shards):05d}.safetensors" if len(shards) > 1 else "model.safetensors"
        with (directory / file).open("wb") as handle:
            _write_shard(handle, shard, DTYPES[dtype][0], noise)
        weight_map |= dict.fromkeys((name for name, _ in shard), file)
    if len(shards) > 1:
        index_file = directory / "model.safetensors.index.json"
        index_file.write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}))
    _write_tokenizer(directory, model.config["vocab_size"])
    (directory / "config.json").write_text(json.dumps({**model.config, "torch_dtype": dtype}, indent=1))
    return total


def _shards(every: list[tuple[str, Shape]]) -> Iterator[list[tuple[str, Shape]]]:
    shard: list[tuple[str, Shape]] = []
    size = 0
    for name, shape in every:
        count = 2 * math.prod(shape)
        if size + count > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append((name, shape))
        size += count
    yield shard


def _write_shard(handle: BinaryIO, shard: list[tuple[str, Shape]], dtype: str, noise: npt.NDArray[Any]) -> None:
    header, end = {}, 0
    for name, shape in shard:
        begin, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    handle.write(len(text).to_bytes(8, "little") + text)
    for number, (name, shape) in enumerate(shard):
        is_norm = len(shape) == 1 and "norm" in name and name.endswith(".weight")
        block = np.ones(shape, noise.dtype) if is_norm else np.roll(noise[: 2**22], 997 * number)
        left = math.prod(shape)
        while left:
            handle.write(block[:left].view(np.uint8).data)
            left -= min(left, block.size)


def _write_tokenizer(directory: Path, vocab: int) -> None:
    """Bytes as tokens, three special ones, and fillers that make every id printable."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    words = ["<unk>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words += [f"Ġfiller{index}" for index in range(len(words), vocab)]
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(words)}, [], unk_token="<unk>"))
    tokenizer.add_special_tokens(words[:3])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.save(str(directory / "tokenizer.json"))
    about = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "add_bos_token": True}
    (directory / "tokenizer_config.json").write_text(json.dumps(about))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--dtype", choices=DTYPES, default="float16")
    arguments = parser.parse_args()
    total = write(arguments.model, arguments.directory, arguments.dtype)
    print(f"{arguments.directory}: {total / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
