"""Weights that were quantized in a way that EdgeKit does not read: looked for first, and called what they are.

A tensor's name or dtype gives each form away, whatever the config says; the config says more where there is one.
Sources of the names: transformers' quantizers and integrations, and each tool's own code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.prequantized.compressed import scheme_name
from edgekit.checkpoint.prequantized.described import find_quantization, method_of
from edgekit.checkpoint.prequantized.refused import ORIGINAL
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_UNDO = (
    "Give EdgeKit the original checkpoint in 16 bits. Where there is none, load this one with transformers, call "
    "model.dequantize() and model.save_pretrained(DIR), then give EdgeKit DIR."
)


@dataclass(frozen=True)
class ForeignPacking:
    """A way of storing quantized weights: what gives it away is a tensor with this name (and one of the dtypes)."""

    title: str
    tensor: re.Pattern[str]
    dtypes: tuple[str, ...] = ()
    hint: str = ORIGINAL


_FP8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")
_FORMS = tuple(
    ForeignPacking(title, re.compile(tensor), dtypes, hint)
    for title, tensor, dtypes, hint in (
        ("bitsandbytes (NF4)", r"\.quant_state\.bitsandbytes__nf4$", (), _UNDO),
        ("bitsandbytes (FP4)", r"\.quant_state\.bitsandbytes__fp4$", (), _UNDO),
        ("bitsandbytes (4 bits)", r"\.weight\.(?:nested_)?(?:absmax|quant_map)$", (), _UNDO),
        ("bitsandbytes (int8)", r"\.(?:SCB|weight_format)$", (), _UNDO),
        ("FP8 in blocks", r"\.weight_scale_inv$", (), ORIGINAL),
        ("HQQ", r"\.W_q$", (), ORIGINAL),
        ("EETQ (int8)", r"\.weight_scales$", (), ORIGINAL),
        ("AQLM", r"\.codebooks$", (), ORIGINAL),
        ("VPTQ", r"\.(?:res_)?centroids\.weight$", (), ORIGINAL),
        ("Quanto", r"\.weight\._data(?:\._data)?$", (), ORIGINAL),
        ("torchao", r"(?:_weight_|:_data|:)qdata$|\.weight:\w+$", (), ORIGINAL),
        ("SpQR", r"\.dense_weights$", (), ORIGINAL),
        ("HIGGS", r"\.tables2?$", (), _UNDO),
        ("FP-Quant", r"\.(?:dqweight|forward_hadamard_matrix)$", (), ORIGINAL),
        ("QuIP#", r"\.Qidxs$", (), ORIGINAL),
        ("ExLlamaV2 (EXL2)", r"\.q_weight$", (), ORIGINAL),
        ("ExLlamaV3 (EXL3)", r"\.trellis$", (), ORIGINAL),
        ("sparse 2:4", r"\.(?:bitmask|B_24|B_meta|scale_packed)$", (), ORIGINAL),
        ("GPTQ in Marlin's layout", r"\.B$", ("int32",), ORIGINAL),
        ("NVFP4", r"\.(?:weight_global_scale|weight_scale_2)$", (), ORIGINAL),
        ("MXFP4", r"\.weight_packed$|_blocks$", ("uint8",), ORIGINAL),
        ("MLX", r"\.weight$", ("uint32",), ORIGINAL),
        ("FP8", r"\.weight$", _FP8, ORIGINAL),
        ("int8", r"\.weight$", ("int8",), ORIGINAL),
        ("packed bytes", r"\.weight$", ("uint8",), ORIGINAL),
        ("packed words", r"\.weight$", ("int16", "uint16", "int32", "int64", "uint64"), ORIGINAL),
    )
)
# What configs call tools whose tensors alone don't tell them.
_TITLES = {
    "aqlm": "AQLM",
    "bitnet": "BitNet",
    "eetq": "EETQ (int8)",
    "fbgemm-fp8": "FBGEMM (FP8)",
    "fp-quant": "FP-Quant",
    "fp8": "FP8",
    "hqq": "HQQ",
    "higgs": "HIGGS",
    "mlx": "MLX",
    "modelopt": "NVIDIA's ModelOpt",
    "mxfp4": "MXFP4",
    "quanto": "Quanto",
    "quark": "AMD's Quark",
    "sinq": "SINQ",
    "spqr": "SpQR",
    "torchao": "torchao",
    "vptq": "VPTQ",
}
_VAGUE = ("FP8", "int8", "packed bytes", "packed words", "NVFP4", "MXFP4")


def refuse_foreign(source: Source) -> None:
    """Raise :class:`CheckpointError` where a tensor of ``source`` is of a form that EdgeKit does not read."""
    seen = _seen(source)
    if seen is None:
        return
    packing, name = seen
    raise CheckpointError(
        f"{source.path} holds quantized weights, {_title(packing, find_quantization(source))} ({name}), which EdgeKit "
        "does not read",
        packing.hint,
    )


def _seen(source: Source) -> tuple[ForeignPacking, str] | None:
    """The first form that a tensor gives away, and that tensor's name."""
    dtypes = {name: cast("Tensor", tensor).dtype.name for name, tensor in source.tensors.items()}
    for packing in _FORMS:
        for name, dtype in dtypes.items():
            if (not packing.dtypes or dtype in packing.dtypes) and packing.tensor.search(name):
                return packing, name
    scaled = next((name for name in dtypes if name.endswith(".weight_scale")), None)
    if scaled and f"{scaled.removesuffix('scale')}packed" not in dtypes:
        return ForeignPacking("scales beside plain weights", re.compile("")), scaled
    return None


def _title(packing: ForeignPacking, config: Fields) -> str:
    """The form's name; the config's where that tells more."""
    method = method_of(config)
    if method == "compressed-tensors":
        name = scheme_name(config)
        return f"compressed-tensors {packing.title if name == 'W4A16' else name}"
    if method == "bitsandbytes" and packing.title in _VAGUE:
        return "bitsandbytes (int8)" if config.flag("load_in_8bit", False) else "bitsandbytes (4 bits)"
    if packing.title in _VAGUE and method:
        return _TITLES.get(method, repr(method[:40]))
    return packing.title
