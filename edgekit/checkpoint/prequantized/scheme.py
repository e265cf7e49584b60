"""How a checkpoint's Linears are packed, as its description says (:mod:`~edgekit.checkpoint.prequantized.described`).

* GPTQ: ``quant_method`` "gptq", ``bits``, ``group_size``, ``desc_act``, ``checkpoint_format`` "gptq" (which is
  what a missing one means) or "gptq_v2" (AutoGPTQ, auto_gptq/quantization/config.py; GPTQModel,
  gptqmodel/quantization/config.py, which calls it ``format``, too, and whose ``dynamic`` gives layers a group of their
  own).
* AWQ: ``quant_method`` "awq", ``bits``, ``group_size``, ``version`` "gemm" (AutoAWQ, awq/models/_config.py);
  ``backend`` "llm-awq" (transformers, AwqConfig) marks the layout of MIT's own code, which is another.
* AutoRound: ``quant_method`` "auto-round", ``packing_format`` names whose layout it is, ``extra_config`` gives layers
  a group of their own (auto_round/export/export_to_autoround/export.py; inference/backend.py). "auto_round:auto_gptq"
  is GPTQ's first format, "auto_round" and "auto_round:gptqmodel" its second, "auto_round:auto_awq" AWQ's GEMM.
* compressed-tensors: :mod:`~edgekit.checkpoint.prequantized.compressed`.

``sym`` and ``zero_point`` are not read: whether zero points are all 8 shows in the tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.compressed import read_sizes
from edgekit.checkpoint.prequantized.described import method_of
from edgekit.checkpoint.prequantized.refused import ORIGINAL, unread
from edgekit.checkpoint.prequantized.scales import is_kept
from edgekit.errors import CheckpointError

_FORMATS = {"gptq": ("gptq", "gptq_v2"), "awq": ("gemm",)}
_ROUNDS = {
    "auto_round:auto_gptq": "gptq",
    "auto_round:gptq": "gptq",
    "auto": "gptq",
    "auto_round": "gptq_v2",
    "auto_round:gptqmodel": "gptq_v2",
    "auto_round:auto_awq": "gemm",
    "auto_round:awq": "gemm",
}
_ROTATIONS = ("rotation_config", "spinquant_config", "transform_config")
_TITLES = {"gptq": "GPTQ", "awq": "AWQ", "auto-round": "AutoRound", "intel/auto-round": "AutoRound"}


@dataclass(frozen=True)
class Scheme:
    """The layout of every packed Linear of a checkpoint.

    ``sizes``: how many inputs share a scale, the usual number first. ``less_one``: zero points are stored less one, as
    GPTQ's first format has it; ``carries``: by GPTQModel, which goes by words. ``act_order``: whether the config says
    that inputs were reordered, which ``g_idx`` tells better.
    """

    method: Literal["gptq", "awq", "compressed-tensors"]
    sizes: tuple[int, ...]
    less_one: bool = False
    carries: bool = False
    act_order: bool = False


def read_scheme(config: Fields) -> Scheme:
    """Read the scheme that ``config`` describes; :class:`CheckpointError` for one that isn't read."""
    method = method_of(config)
    if method == "compressed-tensors":
        sizes, act_order = read_sizes(config)
        return Scheme("compressed-tensors", sizes, act_order=act_order)
    if method not in _TITLES:
        raise config.error("quant_method", '"gptq", "awq", "auto-round" or "compressed-tensors"')
    title = _TITLES[method]
    layout = _rounds(config) if title == "AutoRound" else _layout(config, method)
    sizes = _sizes(config, title)
    if layout == "gemm":
        return Scheme("awq", sizes)
    return Scheme("gptq", sizes, layout == "gptq", _by_gptqmodel(config), config.flag("desc_act", False))


def _layout(config: Fields, method: str) -> str:
    """GPTQ's or AWQ's name of the layout, which must be one of those that are read."""
    written = config.text("checkpoint_format", config.text("format", _FORMATS[method][0]))
    if config.text("format", written).lower() != written.lower():  # GPTQModel's versions take one or the other
        raise config.error("checkpoint_format", f"what 'format' says, {config.text('format')[:40]!r}")
    if method == "awq":
        written = "llm-awq" if config.text("backend", "") == "llm-awq" else config.text("version", written)
    elif config.flag("is_marlin_format", False):
        written = "marlin"
    written = written.lower()
    if written not in _FORMATS[method]:
        raise unread(
            config, f"{method.upper()} weights in the format {written[:40]!r}", f"Save it as {_either(method)}. "
        )
    return written


def _either(method: str) -> str:
    return " or ".join(_FORMATS[method])


def _rounds(config: Fields) -> str:
    """AutoRound's layout under the name that its owner gives it."""
    written = config.text("packing_format", config.text("backend", "auto"))
    data_type, act_bits = config.text("data_type", "int"), config.integer("act_bits", 16)
    if written not in _ROUNDS:
        raise unread(config, f"AutoRound weights in the format {written[:40]!r}", "Export it as auto_round:auto_gptq. ")
    if not data_type.startswith("int") or act_bits < 16:
        raise unread(config, f"AutoRound weights of the type {data_type[:20]!r} for activations of {act_bits} bits")
    if turned := next((key for key in _ROTATIONS if config.values.get(key)), None):
        raise unread(config, f"AutoRound weights that were rotated ({turned})")
    return _ROUNDS[written]


def _sizes(config: Fields, title: str) -> tuple[int, ...]:
    if (bits := config.count("bits")) != 4:
        raise CheckpointError(
            f"{config.origin} has {title} weights of {bits} bits, and EdgeKit reads those of 4", ORIGINAL
        )
    size = config.integer("group_size")
    if not is_kept(size):
        raise CheckpointError(
            f"{config.origin} has one scale per {size} inputs (group_size {size}); EdgeKit reads groups of 32, 64 and "
            "multiples of 128, and whole rows",
            ORIGINAL,
        )
    own = [_own_size(layer) for key in ("dynamic", "extra_config") for layer in config.table(key).values.values()]
    return tuple(dict.fromkeys((size, *(other for other in own if is_kept(other)))))


def _own_size(layer: object) -> int:
    """A layer's own group_size; 0 where it has none."""
    size = layer.get("group_size") if isinstance(layer, dict) else None
    return size if type(size) is int else 0


def _by_gptqmodel(config: Fields) -> bool:
    """Whether ``meta.quantizer`` names GPTQModel: a text such as "gptqmodel:1.4.0", or several."""
    quantizer = config.table("meta").values.get("quantizer")
    tools = quantizer if isinstance(quantizer, list) else [quantizer]
    return any(isinstance(tool, str) and tool.lower().startswith("gptqmodel:") for tool in tools)
