"""A reference packer of others' formats, and tiny checkpoints stored in them.

It shares nothing with the reader: words are put together by shifts, as the formats' own tools do it
(AutoGPTQ's qlinear_cuda_old.py, AutoAWQ's gemm.py, AutoRound's qlinear_torch_zp.py and qlinear_torch.py,
compressed-tensors' pack_quantized).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from tests.checkpoints import write_checkpoint

Array = npt.NDArray[Any]
Format = Literal["gptq", "gptq_v2", "awq", "auto-round", "auto-round_v2", "compressed-tensors"]
FORMATS: tuple[Format, ...] = ("gptq", "gptq_v2", "awq", "auto-round", "auto-round_v2", "compressed-tensors")
LESS_ONE: tuple[Format, ...] = ("gptq", "auto-round")  # zero points are stored less one

# Widths of whole groups of 128 and whole words, as AWQ wants them.
TEXT = {
    "hidden_size": 256,
    "intermediate_size": 384,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
}


@dataclass(frozen=True)
class Linear:
    """``(code - zero) · scale``: codes uint8 ``[n, k]``, zeros uint8 and scales of any float ``[n, groups]``.

    ``group`` is -1 where a row has one scale.
    """

    codes: Array
    zeros: Array
    scales: Array
    group: int

    def weight(self) -> npt.NDArray[np.float32]:
        k = self.codes.shape[1]
        place = np.arange(k) // (k if self.group == -1 else self.group)
        whole = self.codes.astype(np.float32) - self.zeros.astype(np.float32)[:, place]
        result: npt.NDArray[np.float32] = whole * self.scales.astype(np.float32)[:, place]
        return result


def random_linear(n: int, k: int, group: int, seed: int = 0, *, symmetric: bool = True) -> Linear:
    """Any codes 0…15; scales of two magnitudes about 1/sqrt(k), so that activations stay near one."""
    random = np.random.default_rng(seed)
    count = 1 if group == -1 else -(-k // group)
    zeros = np.full((n, count), 8, np.uint8) if symmetric else random.integers(1, 16, (n, count), np.uint8)
    scales = (random.uniform(0.05, 0.4, (n, count)) / np.sqrt(k)).astype(np.float16)
    return Linear(random.integers(0, 16, (n, k), np.uint8), zeros, scales, group)


def words_of(nibbles: Array, order: tuple[int, ...]) -> Array:
    """int32 ``[rows, columns / 8]``, rounded up: nibble i of a word is the element ``order[i]`` of its eight."""
    rows, columns = nibbles.shape
    whole = np.zeros((rows, 8 * -(-columns // 8)), np.int64)
    whole[:, :columns] = nibbles
    words = np.zeros((rows, whole.shape[1] // 8), np.int64)
    for place, element in enumerate(order):
        words |= whole[:, element::8] << (4 * place)
    return words.astype(np.uint32).view(np.int32)


IN_ORDER = (0, 1, 2, 3, 4, 5, 6, 7)
AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)


def stored(linear: Linear, kind: Format) -> dict[str, Array]:
    """A Linear's tensors by their last names."""
    if kind == "awq":
        return {
            "qweight": words_of(linear.codes.T, AWQ_ORDER),
            "qzeros": words_of(linear.zeros.T, AWQ_ORDER),
            "scales": np.ascontiguousarray(linear.scales.T),
        }
    if kind == "compressed-tensors":
        tensors = {
            "weight_packed": words_of(linear.codes, IN_ORDER),
            "weight_scale": linear.scales,
            "weight_shape": np.array(linear.codes.shape, np.int64),
        }
        if (linear.zeros != 8).any():
            tensors["weight_zero_point"] = np.ascontiguousarray(words_of(linear.zeros.T, IN_ORDER).T)
        return tensors
    zeros = (linear.zeros.astype(np.int64) - 1) % 16 if kind in LESS_ONE else linear.zeros
    k = linear.codes.shape[1]
    tensors = {
        "qweight": np.ascontiguousarray(words_of(linear.codes, IN_ORDER).T),
        "qzeros": words_of(zeros.T, IN_ORDER),
        "scales": np.ascontiguousarray(linear.scales.T),
        "g_idx": (np.arange(k) // (k if linear.group == -1 else linear.group)).astype(np.int32),
    }
    if kind.startswith("auto-round"):
        del tensors["g_idx"]
    return tensors


def quantization_config(kind: Format, group: int) -> dict[str, Any]:
    if kind == "awq":
        return {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True, "version": "gemm"}
    if kind.startswith("auto-round"):
        packing = "auto_round:auto_gptq" if kind == "auto-round" else "auto_round"
        numbers = {"bits": 4, "group_size": group, "sym": True, "data_type": "int", "act_bits": 16}
        extra = {"lm_head": {"bits": 16, "act_bits": 16}}
        return {"quant_method": "auto-round", "packing_format": packing, "extra_config": extra, **numbers}
    if kind == "compressed-tensors":
        return compressed_config(group_size=None if group == -1 else group)
    return {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": group,
        "sym": True,
        "desc_act": False,
        "checkpoint_format": kind,
    }


def compressed_config(written: str = "pack-quantized", **weights: Any) -> dict[str, Any]:
    """As llm-compressor saves it, with every key; ``weights`` are those of the group's weights."""
    size = weights.get("group_size", 128)
    described = {
        "num_bits": 4,
        "type": "int",
        "symmetric": True,
        "strategy": "channel" if size is None else "group",
        "group_size": size,
        "actorder": None,
        "block_structure": None,
        "dynamic": False,
        "observer": "minmax",
    }
    group = {
        "targets": ["Linear"],
        "weights": described | weights,
        "input_activations": None,
        "output_activations": None,
        "format": written,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": written,
        "config_groups": {"group_0": group},
        "ignore": ["lm_head", "re:.*vision_tower.*", "re:.*mm_projector.*"],
        "kv_cache_scheme": None,
        "quantization_status": "compressed",
        "sparsity_config": {},
        "transform_config": {},
        "version": "0.20.1",
    }


@dataclass(frozen=True)
class Written:
    """A checkpoint, and the packed Linears in it by their stored name without "weight"."""

    path: Path
    kind: Format
    linears: Mapping[str, Linear]


def write_prequantized(
    path: Path,
    kind: Format,
    group: int = 128,
    *,
    asymmetric: Callable[[str], bool] = lambda stem: False,
    text: Mapping[str, Any] = TEXT,
) -> Written:
    """A tiny LLaVA in float16 whose language model's Linears are packed; ``asymmetric`` chooses by stored name."""
    write_checkpoint(path, "llava", "mistral", dtype="float16", text=text)
    file = path / "model.safetensors"
    tensors = load_file(file)
    linears: dict[str, Linear] = {}
    for seed, name in enumerate(sorted(tensors)):
        if name.startswith("model.layers.") and name.endswith("_proj.weight"):
            stem = name.removesuffix(".weight")
            n, k = tensors.pop(name).shape
            linears[stem] = random_linear(n, k, group, seed, symmetric=not asymmetric(stem))
            tensors |= {f"{stem}.{leaf}": tensor for leaf, tensor in stored(linears[stem], kind).items()}
    save_file(tensors, file, {"format": "pt"})
    edit_config(path, lambda config: config.update(quantization_config=quantization_config(kind, group)))
    return Written(path, kind, linears)


def edit_config(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    config = json.loads((path / "config.json").read_text())
    change(config)
    (path / "config.json").write_text(json.dumps(config))


def edit_tensors(path: Path, change: Callable[[dict[str, Array]], None]) -> None:
    tensors = load_file(path / "model.safetensors")
    change(tensors)
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path / "model.safetensors")
