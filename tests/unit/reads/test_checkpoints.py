"""The table "Checkpoints" of docs/reads.md: such a folder is made for each row, and opens or is refused as it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint import stock
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from tests.checkpoints import Tiny, write_checkpoint, write_tokenizer, write_tower
from tests.reads import rows

Maker = Callable[[Path], Any]
ROWS = rows("Checkpoints")
TINY = {"hidden_size": 72, "intermediate_size": 100, "num_hidden_layers": 3, "num_attention_heads": 3}
TIED = {"tie_word_embeddings": True}
PICKLE = b"\x80\x04."


def plain(path: Path, **changes: Any) -> Tiny:
    return write_checkpoint(path, "llava", "mistral", config=changes)


def tensors(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], **config: Any) -> None:
    """LLaVA's own layout with other tensors."""
    plain(path, **config)
    changed = change(load_file(path / "model.safetensors"))
    save_file(changed, path / "model.safetensors", {"format": "pt"})


def named(path: Path, name: str) -> Tiny:
    return plain(path, vision_config=None, mm_vision_tower=name)


def rope(path: Path, *rules: str, **values: Any) -> list[Path]:
    for rule in rules:
        plain(path / rule, rope_scaling={"rope_type": rule, "factor": 2.0, **values})
    return [path / rule for rule in rules]


def without_weights(path: Path, *files: str, **changes: Any) -> None:
    """A checkpoint's other files, and ``files`` that no one opens in place of its weights."""
    plain(path, **changes)
    (path / "model.safetensors").unlink()
    for name in files:
        (path / name).write_bytes(PICKLE)


def adapter(path: Path) -> None:
    path.mkdir(exist_ok=True)
    (path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "base"}))
    save_file({"base_model.model.x.lora_A.weight": np.ones((2, 2))}, path / "adapter_model.safetensors")


def saved_by_transformers(path: Path) -> list[Path]:
    """By the transformers that is installed, a tied head and a Phi among them."""
    folders = []
    for number, (decoder, tower, text) in enumerate(
        [("llama", "clip", {}), ("llama", "siglip", TIED), ("mistral", "clip", {}), ("phi", "siglip", {})]
    ):
        tiny = write_checkpoint(path / "source", "hf-5", decoder, tower, text=text)  # type: ignore[arg-type]
        tiny.model.save_pretrained(path / str(number))
        write_tokenizer(path / str(number))
        folders.append(path / str(number))
    return folders


def with_tower(path: Path) -> tuple[Path, Path]:
    tiny = named(path / "model", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K")
    return path / "model", write_tower(path / "tower", tiny)


def around(path: Path, *folders: str) -> list[Path]:
    """Folders in each of which a checkpoint lies, one deeper."""
    for name in folders:
        plain(path / name / "checkpoint-500")
        plain(path / name / "snapshots" / "0a1b2c")
    return [path / name for name in folders]


def llavas_lora(path: Path) -> None:
    without_weights(path, "non_lora_trainables.bin")
    adapter(path)


def dirs(path: Path, *names: str, files: tuple[str, ...] = ()) -> None:
    without_weights(path, *files)
    for name in names:
        (path / name).mkdir()


def other(path: Path, *files: str) -> list[Path]:
    """A folder for each of ``files``, alone beside config.json."""
    for name in files:
        without_weights(path / name, name)
    return [path / name for name in files]


def rewritten(path: Path, data: Callable[[bytes], bytes]) -> None:
    file = plain(path).path / "model.safetensors"
    file.write_bytes(data(file.read_bytes()))


def bundle(path: Path) -> None:
    (path / "graphs").mkdir(parents=True)
    (path / "manifest.json").write_text("{}")


def renamed(old: str, new: str, *, keep: bool = True) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The tensor ``old`` under the name ``new``, beside the old one or in its place."""
    return lambda all_: {k: v for k, v in all_.items() if keep or k != old} | {new: all_[old].copy()}


HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
MAKERS: dict[str, Maker] = {
    "LLaVA, LLaVA-Med v1.5: one flat config, `model.mm_projector`": plain,
    "TinyLLaVA, its first releases": lambda p: write_checkpoint(p, "tinyllava", tower="siglip"),
    "TinyLLaVA Factory: `connector._connector`": lambda p: write_checkpoint(p, "factory", tower="siglip"),
    "LLaVA of transformers, saved by 4.51 or before": lambda p: write_checkpoint(p, "hf"),
    "LLaVA of transformers, saved by 4.52 to 4.57": lambda p: write_checkpoint(p, "hf-4.52"),
    "LLaVA of transformers, saved by 5": saved_by_transformers,
    "weights in shards with an index": lambda p: write_checkpoint(p, shards=3),
    "weights in float16": lambda p: write_checkpoint(p, dtype="float16"),
    "weights in bfloat16": lambda p: write_checkpoint(p, dtype="bfloat16"),
    "a tied head, of which only the embedding is stored": lambda p: write_checkpoint(p, text=TIED),
    "a tied head, stored under its own name only": lambda p: tensors(
        p, lambda all_: {k: v for k, v in all_.items() if k != EMBEDDING}, **TIED
    ),
    "a head that config.json ties, and that is stored equal to the embedding": lambda p: tensors(
        p, renamed(EMBEDDING, HEAD), **TIED
    ),
    "a head that config.json ties, and that is stored with numbers of its own": lambda p: plain(p, **TIED),
    "a sliding window shorter than the context": lambda p: plain(p, sliding_window=64),
    "rotary embedding scaled by the linear or the llama3 rule": lambda p: rope(
        p, "linear", "llama3", low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64
    ),
    "rotary embedding scaled by the dynamic rule": lambda p: rope(p, "dynamic"),
    "rotary embedding scaled by yarn or longrope": lambda p: rope(p, "yarn", "longrope"),
    "rotary settings for each kind of layer": lambda p: plain(p, rope_scaling={"full_attention": {"factor": 2.0}}),
    "a selected layer as a list of one": lambda p: plain(p, mm_vision_select_layer=[-2]),
    "several selected layers": lambda p: plain(p, mm_vision_select_layer=[-2, -3]),
    "a tower that is named as a published one, without a config": lambda p: named(p, "openai/clip-tiny"),
    "a tower that is named by a path that ends in a published name": lambda p: named(p, "/data/clip-tiny"),
    "LAION's CLIP, or any other tower, named without a config": lambda p: named(
        p, "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
    ),
    "the same with its folder as `--vision`": with_tower,
    "a model without its tower": lambda p: write_checkpoint(p, "llava", with_vision=False),
    "a projector of another kind (identity, resampler)": lambda p: [
        plain(p / kind, mm_projector_type=kind).path for kind in ("identity", "resampler")
    ],
    "tensors that the described model has no place for": lambda p: tensors(
        p, renamed("model.norm.weight", "model.layers.0.self_attn.q_proj.bias")
    ),
    "an adapter of PEFT (LoRA and others)": adapter,
    "an adapter beside a model": lambda p: adapter(plain(p).path),
    "a model that PEFT still wraps (`base_layer`)": lambda p: tensors(
        p, renamed("model.norm.weight", "model.layers.0.self_attn.q_proj.base_layer.weight")
    ),
    "a LoRA of LLaVA's own training, with `non_lora_trainables.bin`": llavas_lora,
    "a projector alone (`mm_projector.bin`)": lambda p: without_weights(p, "mm_projector.bin"),
    "TinyLLaVA Factory's parts in folders of their own": lambda p: dirs(p, "language_model", "connector"),
    "the state of a training run with DeepSpeed": lambda p: dirs(p, "global_step1", files=("zero_to_fp32.py",)),
    "weight deltas, as LLaVA-Med v1 was published, by their name": lambda p: without_weights(
        p, "pytorch_model.bin", _name_or_path="llava_med_in_text_60k_ckpt2_delta"
    ),
    "weight deltas, by their weights": lambda p: tensors(p, lambda all_: {k: v * 1e-3 for k, v in all_.items()}),
    "Med-MoE: experts under `deepspeed_moe`": lambda p: tensors(
        p, renamed("model.norm.weight", "model.layers.0.mlp.deepspeed_moe.experts.deepspeed_experts.0.fc1.weight")
    ),
    "Mixtral's and others' experts": lambda p: [
        plain(p / key, **{key: 8}).path for key in ("num_local_experts", "num_experts", "n_routed_experts")
    ],
    "a language model alone": lambda p: [plain(p / kind, model_type=kind).path for kind in ("llama", "mistral", "phi")],
    "a vision tower alone": lambda p: [
        write_tower(p / kind, write_checkpoint(p, "hf", tower=kind)) for kind in ("clip", "siglip")
    ],
    "other multimodal models (Qwen2-VL, LLaVA-NeXT)": lambda p: [
        plain(p / kind, model_type=kind).path for kind in ("qwen2_vl", "llava_next")
    ],
    "pickles (`.bin`, `.pth`, `.pt`)": lambda p: other(p, "pytorch_model.bin", "consolidated.00.pth", "model.pt"),
    "llama.cpp's GGUF": lambda p: other(p, "model-q4_k_m.gguf"),
    "weights of TensorFlow, Flax or ONNX": lambda p: other(p, "tf_model.h5", "flax_model.msgpack", "model.onnx"),
    "a folder around checkpoints (a hub's cache, a training run)": lambda p: around(p, "models--a--b", "run"),
    "pointers of Git LFS": lambda p: rewritten(p, lambda _: b"version https://git-lfs.github.com/spec/v1\noid"),
    "a safetensors file that is cut off": lambda p: rewritten(p, lambda data: data[:-100]),
    "a missing shard": lambda p: (write_checkpoint(p, shards=2).path / "model-00001-of-00002.safetensors").unlink(),
    "EdgeKit's bundle": bundle,
    "a folder without a config.json": lambda p: (plain(p).path / "config.json").unlink(),
    "an empty folder": lambda p: p.mkdir(),
}


def test_every_row_has_a_maker() -> None:
    assert MAKERS.keys() == ROWS.keys()


@pytest.mark.parametrize("form", list(ROWS))
def test_such_a_folder_is_read_or_refused_as_the_table_says(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stock._TOWERS, "openai/clip-tiny", {**stock._CLIP, **TINY, "image_size": 28, "patch_size": 7})
    written = MAKERS[form](tmp_path / "c")
    vision = written[1] if isinstance(written, tuple) and isinstance(written[1], Path) else None
    folders = written if isinstance(written, list) else [written[0] if vision else tmp_path / "c"]
    verdict, _, said = ROWS[form].partition(": ")
    for folder in folders:
        if verdict == "refused":
            with pytest.raises(CheckpointError) as error:
                open_checkpoint(folder, vision)
            assert said in str(error.value)
            continue
        notes = open_checkpoint(folder, vision).spec.notes
        assert any(said in note for note in notes) if said else not notes
