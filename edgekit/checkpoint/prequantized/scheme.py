"""How a checkpoint says that its Linears are packed: ``quantization_config`` of its config.json.

* GPTQ: ``quant_method`` "gptq", ``bits``, ``group_size``, ``desc_act``, ``checkpoint_format`` "gptq" (which is
  what a missing one means) or "gptq_v2" (AutoGPTQ, auto_gptq/quantization/config.py; GPTQModel,
  gptqmodel/quantization/config.py).
* AWQ: ``quant_method`` "awq", ``bits``, ``group_size``, ``version`` "gemm" (AutoAWQ, awq/models/_config.py);
  ``backend`` "llm-awq" (transformers, AwqConfig) marks the layout of MIT's own code, which is another.

``sym`` and ``zero_point`` are not read: whether zero points are all 8 shows in the tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

GROUPS = (32, 64, 128)
ORIGINAL = "Give EdgeKit the original checkpoint in 16 bits: `edgekit quantize` makes it small."
_FORMATS = {"gptq": ("gptq", "gptq_v2"), "awq": ("gemm",)}


@dataclass(frozen=True)
class Scheme:
    """The layout of every packed Linear of a checkpoint.

    ``zero_shift`` is what is added to a stored zero point: GPTQ's first format stores it less one.
    ``act_order``: whether config.json says that inputs were reordered, which ``g_idx`` tells better.
    """

    method: Literal["gptq", "awq"]
    group: int
    zero_shift: int
    act_order: bool


def find_scheme(source: Source) -> Scheme | None:
    """The scheme of ``source``, or None where no Linear is packed; :class:`CheckpointError` for one that isn't read."""
    packed = next((name for name in source.tensors if name.endswith(".qweight")), None)
    config = source.config.table("quantization_config")
    if packed and not config.values:
        config = source.config.table("text_config").table("quantization_config")
    method = config.values.get("quant_method")
    if method not in ("gptq", "awq"):
        if packed is None:
            return None
        if not config.values:
            raise CheckpointError(
                f"{packed} in {source.path} is packed, but {source.config.where} has no quantization_config",
                "Copy it into config.json from the published one: it says how the weights are packed.",
            )
        raise config.error("quant_method", '"gptq" or "awq"')
    kind: Literal["gptq", "awq"] = "gptq" if method == "gptq" else "awq"
    written = _format(config, kind)
    if packed is None:
        return None  # the config may be a leftover of weights that have been unpacked since
    _check_numbers(config, kind)
    shift = 1 if written == "gptq" else 0
    return Scheme(kind, config.count("group_size"), shift, kind == "gptq" and config.flag("desc_act", False))


def _format(config: Fields, method: str) -> str:
    """The name of the layout, which must be one of those that are read."""
    written = config.text("checkpoint_format", _FORMATS[method][0])
    if method == "awq":
        written = "llm-awq" if config.text("backend", "") == "llm-awq" else config.text("version", written)
    elif config.flag("is_marlin_format", False):
        written = "marlin"
    written = written.lower()
    if written not in _FORMATS[method]:
        raise CheckpointError(
            f"{config.where} has {method.upper()} weights in the format {written[:40]!r}, which EdgeKit does not read",
            f"Save it in the format {' or '.join(_FORMATS[method])}. {ORIGINAL}",
        )
    return written


def _check_numbers(config: Fields, method: str) -> None:
    if (bits := config.count("bits")) != 4:
        raise CheckpointError(
            f"{config.where} has {method.upper()} weights of {bits} bits, and EdgeKit reads those of 4", ORIGINAL
        )
    if (group := config.integer("group_size")) not in GROUPS:
        what = "one scale per row" if group == -1 else f"one scale per {group} inputs"
        raise CheckpointError(
            f"{config.where} has {what} (group_size {group}); EdgeKit reads groups of 32, 64 and 128", ORIGINAL
        )
