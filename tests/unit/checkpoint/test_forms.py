"""What is no whole model is named as what it is, before anything in it is read as a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import CheckpointError
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.checkpoints import DecoderKind, Layout, Tiny, write_checkpoint

LORA = "language_model.model.layers.0.self_attn.q_proj"
EXPERT = "model.layers.0.mlp.deepspeed_moe"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return write_checkpoint(tmp_path_factory.mktemp("whole") / "m", "llava", "mistral")


def copied(whole: Tiny, path: Path, *, leave: tuple[str, ...] = ()) -> Path:
    path.mkdir(exist_ok=True)
    for file in whole.path.iterdir():
        if file.name not in leave:
            (path / file.name).write_bytes(file.read_bytes())
    return path


def write_adapter(path: Path, base: str = "liuhaotian/llava-v1.5-7b", kind: str = "LORA") -> Path:
    """As PEFT's save_pretrained leaves it."""
    path.mkdir(exist_ok=True)
    about = {"peft_type": kind, "base_model_name_or_path": base, "r": 8}
    (path / "adapter_config.json").write_text(json.dumps(about))
    names = [f"base_model.model.{LORA}.lora_{letter}.weight" for letter in "AB"]
    save_file({name: np.ones((2, 2), np.float32) for name in names}, path / "adapter_model.safetensors")
    return path


def save_beside(whole: Tiny, path: Path, **tensors: Any) -> Path:
    save_file(tensors, copied(whole, path, leave=("model.safetensors",)) / "model.safetensors")
    return path


def refused(path: Path, words: str, hint: str) -> None:
    with pytest.raises(CheckpointError) as error:
        open_checkpoint(path)
    assert words in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize("kind", ["LORA", "IA3"])
def test_an_adapter_alone_is_named_with_its_base(tmp_path: Path, kind: str) -> None:
    path = write_adapter(tmp_path, kind=kind)
    refused(path, f"{kind} adapter of liuhaotian/llava-v1.5-7b", "merge_and_unload")


def test_an_adapter_of_llavas_own_training_is_merged_by_its_script(whole: Tiny, tmp_path: Path) -> None:
    path = write_adapter(copied(whole, tmp_path, leave=("model.safetensors",)))
    (path / "non_lora_trainables.bin").write_bytes(b"\x80\x04.")
    refused(path, "adapter of liuhaotian", "merge_lora_weights.py")


@pytest.mark.parametrize("shards", [1, 2])
def test_an_adapter_beside_a_model_is_not_left_out_in_silence(tmp_path: Path, shards: int) -> None:
    path = write_adapter(write_checkpoint(tmp_path / "m", "llava", shards=shards).path, base="")
    refused(path, "a model and, in adapter_config.json, a LORA adapter", "move adapter_config.json")


@pytest.mark.parametrize(
    "name", [f"{LORA}.lora_A.weight", f"{LORA}.lora_magnitude_vector", "base_model.model.x", f"{LORA}.ia3_l"]
)
def test_an_adapters_tensors_under_a_models_file_name(whole: Tiny, tmp_path: Path, name: str) -> None:
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)})
    refused(path, f"the tensors of an adapter ({name})", "merge_and_unload")


@pytest.mark.parametrize("inner", ["q_proj.base_layer.weight", "q_proj.lora_A.default.weight"])
def test_a_model_that_peft_still_wraps(whole: Tiny, tmp_path: Path, inner: str) -> None:
    tensors = {f"model.layers.0.self_attn.{inner}", "model.embed_tokens.weight"}
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32) for name in sorted(tensors)})
    refused(path, "not merged into it", "merge_and_unload")


@pytest.mark.parametrize("file", ["mm_projector.bin", "non_lora_trainables.bin"])
def test_a_part_alone(whole: Tiny, tmp_path: Path, file: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    for name in (file, "training_args.bin"):
        (path / name).write_bytes(b"\x80\x04.")
    refused(path, f"({file}), no whole model", "save_pretrained(DIR)")


def test_a_projector_under_a_models_file_name(whole: Tiny, tmp_path: Path) -> None:
    name = "model.mm_projector.0.weight"
    refused(save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)}), "only a projector", "save_pretrained")


@pytest.mark.parametrize(
    ("inside", "words", "hint"),
    [
        (("language_model", "connector", "vision_tower"), "TinyLLaVA Factory", "load_pretrained_model"),
        (("global_step500", "zero_to_fp32.py"), "DeepSpeed", "zero_to_fp32.py . DIR"),
    ],
)
def test_a_training_runs_state(whole: Tiny, tmp_path: Path, inside: tuple[str, ...], words: str, hint: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    for name in inside:
        (path / name).mkdir()
    refused(path, words, hint)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (f"{EXPERT}.experts.deepspeed_experts.0.fc1.weight", "as Med-MoE's models do"),
        (f"{EXPERT}.gate.wg.weight", "as Med-MoE's models do"),
        ("model.layers.0.block_sparse_moe.experts.1.w1.weight", "block_sparse_moe"),
        ("model.layers.3.mlp.experts.gate_up_proj", "mlp.experts"),
    ],
)
def test_experts_are_named_by_their_tensors(whole: Tiny, tmp_path: Path, name: str, shown: str) -> None:
    path = save_beside(whole, tmp_path, **{name: np.ones((2, 2), np.float32)})
    refused(path, shown, "dense")


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "moe_llava_phi"},
        {"moe": {"moe_enable": True, "num_experts": [4]}},
        {"num_local_experts": 8},
        {"text_config": {"model_type": "qwen2_moe", "num_experts": 60}},
    ],
)
def test_experts_are_named_by_the_config_even_where_weights_are_pickles(
    whole: Tiny, tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    (path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    config = json.loads((path / "config.json").read_text()) | changes
    (path / "config.json").write_text(json.dumps(config))
    refused(path, "mixture of experts", "dense")


@pytest.mark.parametrize("name", ["llava_med_in_text_60k_ckpt2_delta", "LLaVA-7b-delta-v0", "deltas"])
def test_a_published_delta_is_named_by_its_name(whole: Tiny, tmp_path: Path, name: str) -> None:
    path = copied(whole, tmp_path / name, leave=("model.safetensors",))
    (path / "pytorch_model-00001-of-00002.bin").write_bytes(b"\x80\x04.")
    refused(path, f"weight deltas by its name ({name.lower()})", "apply_delta")


@pytest.mark.parametrize(("layout", "decoder"), [("llava", "phi"), ("hf-5", "llama"), ("factory", "llama")])
def test_a_delta_is_told_by_its_weights(tmp_path: Path, layout: Layout, decoder: DecoderKind) -> None:
    """What fine-tuning changed: the trained weights less those of the base."""
    name = write_checkpoint(tmp_path, layout, decoder).path / "model.safetensors"
    tuned = load_file(name)
    change = {key: 1e-3 * np.random.default_rng(0).standard_normal(value.shape) for key, value in tuned.items()}
    save_file({key: value.astype(np.float32) for key, value in change.items()}, name, {"format": "pt"})
    refused(tmp_path, "weight deltas, it seems", "apply_delta")


def test_a_delta_whose_norms_were_not_trained_is_told_too(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    tensors = load_file(path / "model.safetensors")
    zeros = {key: np.zeros_like(value) for key, value in tensors.items() if "norm" in key and "vision" not in key}
    save_file(tensors | zeros, path / "model.safetensors", {"format": "pt"})
    refused(path, "lie around zero", "apply_delta")


def test_a_norm_that_is_no_number_is_damage_and_no_delta(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    tensors = load_file(path / "model.safetensors")
    tensors["model.norm.weight"][1] = np.nan
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    norm: Any = quantize(open_checkpoint(path), recipe("fp16")).tensors["decoder.norm.weight"]
    with pytest.raises(CheckpointError, match="holds nan") as error:
        norm.rows(0, *norm.shape)
    assert "damaged" in error.value.hint


@pytest.mark.parametrize("file", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "x.pth"])
def test_a_pickle_is_refused_with_the_way_to_convert_it(whole: Tiny, tmp_path: Path, file: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    (path / file).write_bytes(b"\x80\x04.")
    refused(path, f"as a pickle ({file})", "save_pretrained")


@pytest.mark.parametrize(
    ("file", "shown"),
    [("ggml-model-q4_0.gguf", "GGUF"), ("tf_model.h5", "HDF5"), ("flax_model.msgpack", "Flax"), ("a.onnx", "ONNX")],
)
def test_weights_in_another_format_are_named(tmp_path: Path, file: str, shown: str) -> None:
    (tmp_path / file).write_bytes(b"x")
    refused(tmp_path, f"{shown}", "converted from")


def test_a_file_in_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    refused(tmp_path / "model.gguf", "llama.cpp's GGUF", "config.json and the safetensors")


@pytest.mark.parametrize("inner", ["snapshots/0123456789abcdef", "checkpoint-500", "llava-med"])
def test_a_folder_around_the_checkpoint_says_where_it_lies(whole: Tiny, tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).parent.mkdir(exist_ok=True)
    copied(whole, tmp_path / inner)
    refused(tmp_path, inner, "Give one of them")
    assert open_checkpoint(tmp_path / inner).path == tmp_path / inner


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    refused(tmp_path, "is empty", "config.json")


def test_a_bundle_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    refused(tmp_path, "is a bundle", "the checkpoint")


def test_weights_that_git_lfs_did_not_fetch(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4943162336\n"
    (path / "model.safetensors").write_text(pointer)
    refused(path, "pointer of Git LFS", "git lfs pull")


def test_the_folder_of_a_tower_is_looked_at_in_the_same_way(whole: Tiny, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="LORA adapter of openai"):
        open_checkpoint(whole.path, write_adapter(tmp_path, "openai/clip-vit-large-patch14-336"))
