"""Weights in every form that docs/reads.md's section "Quantized by others" speaks of.

Those that EdgeKit refuses are made of tensors named as the tools save them; bitsandbytes' and compressed-tensors' names
were taken from folders that bitsandbytes 0.50.2 and compressed-tensors 0.20.1 wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

from tests.prequantized import (
    IN_ORDER,
    Array,
    Format,
    Linear,
    compressed_config,
    quantization_config,
    random_linear,
    stored,
    words_of,
)

N, K = 32, 256
BF16 = np.dtype(ml_dtypes.bfloat16)
FP8 = np.dtype(ml_dtypes.float8_e4m3fn)


@dataclass
class Form:
    """A folder's tensors, its config and other JSON files; ``linear`` is what ``x`` stands for where it is read."""

    tensors: dict[str, Array]
    quantization: Any = None
    linear: Any = None
    requantize: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)


def packed(
    kind: Format,
    group: int = 128,
    *,
    asymmetric: bool = False,
    requantize: bool = False,
    scales: np.dtype[Any] | None = None,
    **changes: Any,
) -> Form:
    """The Linear ``x`` in a format that EdgeKit reads; ``changes`` are of its description."""
    linear = random_linear(N, K, group, symmetric=not asymmetric)
    if scales is not None:
        linear = Linear(linear.codes, linear.zeros, linear.scales.astype(scales), group)
    tensors = {f"x.{leaf}": tensor for leaf, tensor in stored(linear, kind).items()}
    return Form(tensors, quantization_config(kind, group) | changes, linear, requantize)


def compressed(changes: Mapping[str, Any] | None = None, acts: Any = None, **weights: Any) -> Form:
    """``x`` as compressed-tensors' W4A16, under a description of which parts are ``changes``."""
    group = -1 if weights.get("strategy") == "channel" else weights.get("group_size", 128)
    form = packed("compressed-tensors", group)
    form.quantization = compressed_config(**weights) | dict(changes or {})
    form.quantization["config_groups"]["group_0"]["input_activations"] = acts
    return form


def foreign(method: str | None, /, **tensors: Array) -> Form:
    """Tensors whose names are written with "__" in place of "."."""
    named = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return Form(named, {"quant_method": method} if method else None)


def ints(dtype: str, *shape: int) -> Array:
    return np.ones(shape, dtype)


def without_config(form: Form, **files: Any) -> Form:
    form.quantization, form.files = None, {f"{name}.json": value for name, value in files.items()}
    return form


def tiny_scales(requantize: bool) -> Form:
    form = packed("gptq", scales=BF16, requantize=requantize)
    form.tensors["x.scales"][0, 3] = form.linear.scales[3, 0] = np.float32(3e-8)
    return form


def zeros_of_nought(by: str | None) -> Form:
    """GPTQModel's words for zero points 0, 8, 8…: 88888880 less 11111111, with borrows."""
    form = packed("gptq", requantize=True)
    form.linear.zeros[0] = 0
    words = words_of(form.linear.zeros.T, IN_ORDER).view(np.uint32) - np.uint32(0x11111111)
    assert words[0, 0] == 0x7777776F
    form.tensors["x.qzeros"] = words.view(np.int32)
    form.quantization |= {"meta": {"quantizer": [by]}} if by else {}
    return form


def reordered(kind: Format) -> Form:
    form = packed(kind)
    order = np.arange(K, dtype=np.int32)[::-1].copy() // 128
    form.tensors["x.weight_g_idx" if kind == "compressed-tensors" else "x.g_idx"] = order
    return form


def own_order() -> Form:
    form = compressed(actorder="group")
    form.tensors["x.weight_g_idx"] = np.arange(K, dtype=np.int32) // 128
    return form


def of_eight_bits(kind: Format) -> Form:
    """``y`` beside ``x``, in twice as many words."""
    form = packed(kind)
    two = stored(form.linear, kind)
    for leaf, axis in (("qweight", 0), ("qzeros", 1), ("weight_packed", 1)):
        if leaf in two:
            two[leaf] = np.concatenate([two[leaf]] * 2, axis)
    form.tensors |= {f"y.{leaf}": tensor for leaf, tensor in two.items()}
    return form


def with_groups_of_their_own() -> Form:
    form = packed("gptq", 32, group_size=128, dynamic={"+:x": {"group_size": 32}, "-:y": {}})
    other = random_linear(N, K, 128)
    form.tensors |= {f"z.{leaf}": tensor for leaf, tensor in stored(other, "gptq").items()}
    return form


def rounds(packing: str, **changes: Any) -> Form:
    kind: Format = "awq" if packing.endswith("awq") else "auto-round" if "gptq" in packing else "auto-round_v2"
    form = packed(kind)
    form.quantization = quantization_config("auto-round", 128) | {"packing_format": packing} | changes
    return form


def beside_plain_layers() -> Form:
    form = compressed({"ignore": ["y"]}, actorder="weight")
    form.tensors["y.weight"] = np.ones((8, 8), np.float16)
    return form


def not_compressed() -> Form:
    form = compressed({"quantization_status": "frozen"})
    form.tensors = {"x.weight": np.ones((N, K), np.float16), "x.weight_scale": np.ones((N, 2), np.float16)}
    return form


def scheme(tensors: dict[str, Array], written: str = "pack-quantized", acts: Any = None, **weights: Any) -> Form:
    form = compressed(acts=acts, **weights)
    form.quantization["format"] = form.quantization["config_groups"]["group_0"]["format"] = written
    form.tensors = {f"x.{leaf}": tensor for leaf, tensor in tensors.items()}
    return form


def bitsandbytes(kind: str) -> Form:
    form = foreign("bitsandbytes", x__weight=ints("u1", N * K // 2, 1), x__weight__absmax=ints("u1", 128))
    form.tensors |= {f"x.weight.{leaf}": ints("f4", 16) for leaf in ("nested_absmax", "nested_quant_map", "quant_map")}
    form.tensors[f"x.weight.quant_state.bitsandbytes__{kind}"] = ints("u1", 78)
    return form


def described_elsewhere() -> list[Form]:
    gptq, awq = quantization_config("gptq", 128), quantization_config("awq", 128)
    inner, older = packed("gptq"), packed("compressed-tensors")
    inner.config, inner.quantization = {"text_config": {"quantization_config": gptq}}, None
    older.config, older.quantization = {"compression_config": compressed_config() | {"quant_method": None}}, None
    autogptq = {"bits": 4, "group_size": 128, "desc_act": False, "sym": True, "model_file_base_name": None}
    autoawq = {"zero_point": True, "q_group_size": 128, "w_bit": 4, "version": "GEMM"}
    return [
        inner,
        older,
        without_config(packed("gptq"), quantize_config=autogptq),
        without_config(packed("awq"), quant_config=autoawq),
        without_config(packed("awq"), quant_config=awq),
    ]


E8 = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}
F8 = E8 | {"type": "float"}
ROWED = {"weight_scale": ints("f4", N, 1)}
MAKERS: dict[str, Callable[[], Form | list[Form]]] = {
    "GPTQ of 4 bits, symmetric, groups of 32, 64 or 128": lambda: [packed("gptq", group) for group in (32, 64, 128)],
    "GPTQ with one scale per row (group_size -1), or per several groups of 128": lambda: [
        packed("gptq", -1),
        packed("gptq", 256),
        packed("awq", -1),
    ],
    "GPTQ's second format (gptq_v2)": lambda: [
        packed("gptq_v2"),
        packed("gptq_v2", checkpoint_format=None, format="gptq_v2"),
        packed("gptq_v2", format="GPTQ_V2"),
    ],
    "GPTQ whose layers have groups of their own (dynamic)": with_groups_of_their_own,
    "GPTQ with scales in bfloat16 or float32": lambda: [
        packed("gptq", scales=BF16),
        packed("gptq_v2", scales=np.dtype(np.float32)),
    ],
    "GPTQ with scales that float16 can't hold": lambda: tiny_scales(False),
    "GPTQ with scales that float16 can't hold, with --requantize": lambda: tiny_scales(True),
    "GPTQ, asymmetric, or with sym true and other zero points than 8": lambda: packed("gptq", asymmetric=True),
    "GPTQ, asymmetric, with --requantize": lambda: packed("gptq", asymmetric=True, requantize=True),
    "GPTQ's first format with zero points of 0, by GPTQModel, with --requantize": lambda: zeros_of_nought(
        "gptqmodel:1.4.0"
    ),
    "GPTQ's first format with zero points of 0, by a tool that it doesn't name": lambda: [
        zeros_of_nought(None),
        zeros_of_nought("optimum:1.23.3"),
    ],
    "GPTQ with inputs reordered (desc_act)": lambda: reordered("gptq"),
    "GPTQ of 8 bits": lambda: packed("gptq", bits=8),
    "GPTQ with layers of 8 bits among those of 4 (dynamic)": lambda: of_eight_bits("gptq"),
    "GPTQ in Marlin's layout": lambda: [
        packed("gptq", checkpoint_format="marlin"),
        packed("gptq", is_marlin_format=True),
    ],
    "GPTQ in Marlin's layout, without a description": lambda: foreign(
        None, x__B=ints("i4", K // 16, 2 * N), x__s=ints("f2", 2, N)
    ),
    "AWQ in GEMM's layout, symmetric": lambda: packed("awq"),
    "AWQ, asymmetric": lambda: packed("awq", asymmetric=True),
    "AWQ, asymmetric, with --requantize": lambda: packed("awq", asymmetric=True, requantize=True),
    "AWQ in the layout of GEMV, GEMV_FAST, Marlin or llm-awq": lambda: [
        packed("awq", version="gemv"),
        packed("awq", version="GEMV_FAST"),
        packed("awq", version="marlin"),
        packed("awq", backend="llm-awq"),
    ],
    "AutoRound in GPTQ's layout, its own or AWQ's": lambda: [
        rounds(name)
        for name in ("auto_round:auto_gptq", "auto_round:gptq", "auto_round", "auto_round:auto_awq", "auto_round:awq")
    ],
    "AutoRound with layers of 16 bits (extra_config)": lambda: rounds(
        "auto_round:auto_gptq", extra_config={"y": {"bits": 16, "data_type": "float"}}
    ),
    "AutoRound for activations of 8 bits": lambda: rounds("auto_round:auto_gptq", act_bits=8),
    "AutoRound in another layout (fp8, llm_compressor, mlx)": lambda: [
        rounds(name) for name in ("auto_round:fp8_static", "auto_round:llm_compressor", "mlx")
    ],
    "AutoRound with rotations": lambda: rounds("auto_round:auto_gptq", spinquant_config={"r1": True}),
    "compressed-tensors W4A16, symmetric, groups of 32, 64 or 128": lambda: [
        compressed(group_size=group) for group in (32, 64, 128)
    ],
    "compressed-tensors W4A16 with one scale per row (channel)": lambda: compressed(
        strategy="channel", group_size=None
    ),
    "compressed-tensors W4A16 with actorder weight or static, layers in ignore left plain": beside_plain_layers,
    "compressed-tensors W4A16 with an order of inputs that is their own (g_idx)": own_order,
    "compressed-tensors W4A16 with scales for an FP8 cache (kv_cache_scheme)": lambda: compressed(
        {"kv_cache_scheme": F8 | {"dynamic": False}}
    ),
    "compressed-tensors W4A16, asymmetric": lambda: packed("compressed-tensors", asymmetric=True),
    "compressed-tensors W4A16, asymmetric, with --requantize": lambda: packed(
        "compressed-tensors", asymmetric=True, requantize=True
    ),
    "compressed-tensors W4A16 with inputs reordered (actorder group)": lambda: reordered("compressed-tensors"),
    "compressed-tensors W4A16 that was not compressed when it was saved": not_compressed,
    "compressed-tensors W4A16 with rotations (transform_config)": lambda: compressed(
        {"transform_config": {"config_groups": {"R1": {"type": "hadamard", "apply": []}}}}
    ),
    "compressed-tensors W4A8": lambda: compressed(acts=E8),
    "compressed-tensors W8A16": lambda: compressed(num_bits=8),
    "compressed-tensors W4A16 with layers of 8 bits that its config doesn't name": lambda: of_eight_bits(
        "compressed-tensors"
    ),
    "compressed-tensors W8A8 int8": lambda: scheme(
        {"weight": ints("i1", N, K)} | ROWED, "int-quantized", E8, num_bits=8
    ),
    "compressed-tensors FP8": lambda: scheme(
        {"weight": np.ones((N, K), FP8)} | ROWED, "float-quantized", F8, num_bits=8, type="float"
    ),
    "compressed-tensors NVFP4": lambda: scheme(
        {
            "weight_packed": ints("u1", N, K // 2),
            "weight_scale": np.ones((N, 16), FP8),
            "weight_global_scale": ints("f4", 1),
        },
        "nvfp4-pack-quantized",
        type="float",
        group_size=16,
    ),
    "compressed-tensors MXFP4": lambda: scheme(
        {"weight_packed": ints("u1", N, K // 2), "weight_scale": ints("u1", N, K // 32)},
        "mxfp4-pack-quantized",
        type="float",
        group_size=32,
    ),
    "compressed-tensors sparse 2:4": lambda: [
        foreign("compressed-tensors", x__compressed=ints("f2", N, K // 2), x__bitmask=ints("u1", N, K // 8)),
        compressed({"sparsity_config": {"format": "sparse-24-bitmask"}}),
        scheme({"weight_packed": ints("i4", K // 32, 2 * N), "scale_packed": ints("f2", 2, N)}, "marlin-24"),
    ],
    "bitsandbytes NF4": lambda: bitsandbytes("nf4"),
    "bitsandbytes FP4": lambda: bitsandbytes("fp4"),
    "bitsandbytes int8": lambda: foreign(
        "bitsandbytes", x__weight=ints("i1", N, K), x__SCB=ints("f4", N), x__weight_format=np.ones((), np.uint8)
    ),
    "bitsandbytes of which only the packed bytes were fetched": lambda: foreign(
        "bitsandbytes", x__weight=ints("u1", N * K // 2, 1)
    ),
    "FP8 in blocks (weight_scale_inv)": lambda: [
        foreign("fp8", x__weight=np.ones((N, K), FP8), x__weight_scale_inv=ints("f4", 1, 2)),
        foreign(None, x__weight=np.ones((N, K), FP8), x__weight_scale_inv=ints("f4", 1, 2)),
    ],
    "FP8 with a scale per tensor or row": lambda: [
        foreign(method, x__weight=np.ones((N, K), FP8), x__weight_scale=ints("f4", N, 1))
        for method in (None, "fbgemm_fp8", "fp8")
    ],
    "NVIDIA's ModelOpt": lambda: without_config(
        foreign(None, x__weight=np.ones((N, K), FP8), x__weight_scale=ints("f4", 1)),
        hf_quant_config={"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}},
    ),
    "HQQ": lambda: foreign("hqq", x__W_q=ints("u1", N * K // 2 // 64, 64), x__scale=ints("f2", N, 1)),
    "EETQ": lambda: foreign("eetq", x__weight=ints("i1", K, N), x__weight_scales=ints("f2", N)),
    "AQLM": lambda: foreign(
        "aqlm",
        x__codes=ints("i2", N, K // 8, 1),
        x__codebooks=ints("f2", 1, 16, 1, 8),
        x__scales=ints("f2", N, 1, 1, 1),
    ),
    "VPTQ": lambda: foreign("vptq", x__indices=ints("i4", 1, 2, 3), x__centroids__weight=ints("f2", 1, 64)),
    "Quanto": lambda: [
        foreign("quanto", x__weight___data=ints("i1", N, K), x__weight___scale=ints("f2", N, 1)),
        foreign(None, x__weight___data=ints("u1", N, K // 2), x__weight___scale=ints("f2", N, 1)),
    ],
    "torchao": lambda: [
        foreign("torchao", x___weight_qdata=ints("i1", N, K), x___weight_scale=ints("f2", N, 1)),
        Form({"x.weight:qdata": ints("i1", N, K), "x.weight:scale": ints("f2", N, 1)}),
    ],
    "SpQR": lambda: foreign("spqr", x__dense_weights=ints("i8", 9), x__row_offsets=ints("i4", N + 1)),
    "HIGGS": lambda: foreign(
        "higgs",
        x__weight=ints("i2", N, 8),
        x__scales=ints("f2", N, 1),
        x__tables=ints("f2", 16),
        x__tables2=ints("f4", 4),
    ),
    "QuIP#": lambda: foreign("quip", x__Qidxs=ints("i8", N, 4), x__SU=ints("f2", K), x__SV=ints("f2", N)),
    "FP-Quant": lambda: foreign(
        "fp_quant", x__qweight=ints("u1", N, K // 2), x__forward_hadamard_matrix=ints("f2", 32, 32)
    ),
    "BitNet": lambda: foreign("bitnet", x__weight=ints("u1", N // 4, K), x__weight_scale=ints("f2", 1)),
    "AMD's Quark": lambda: foreign("quark", x__weight=ints("i1", N, K), x__weight_scale=ints("f4", N)),
    "MXFP4 (gpt-oss)": lambda: foreign(
        "mxfp4", x__gate_up_proj_blocks=ints("u1", 2, N, 8, 16), x__gate_up_proj_scales=ints("u1", 2, N, 8)
    ),
    "ExLlamaV2 (EXL2)": lambda: foreign("exl2", x__q_weight=ints("i4", K // 8, N), x__q_scale=ints("i4", 2, N // 8)),
    "ExLlamaV3 (EXL3)": lambda: foreign("exl3", x__trellis=ints("i2", 2, 2, 64), x__suh=ints("f2", K)),
    "MLX": lambda: [
        Form(
            {"x.weight": ints("u4", N, K // 8), "x.scales": ints("f2", N, 4), "x.biases": ints("f2", N, 4)},
            config={"quantization": {"group_size": 64, "bits": bits}},
        )
        for bits in (4, 8)
    ],
    "int8 without a description": lambda: foreign(None, x__weight=ints("i1", N, K), x__scale=ints("f4", N)),
    "a description in text_config, compression_config, quantize_config.json or quant_config.json": described_elsewhere,
    "packed weights without a description": lambda: [
        without_config(packed("gptq")),
        without_config(packed("compressed-tensors")),
    ],
    "a description that outlived its weights, which are plain": lambda: foreign(
        "bitsandbytes", x__weight=np.ones((N, K), np.float16)
    ),
}
