"""compressed-tensors' ``config_groups``: what they call a scheme, and which of them fit EdgeKit's int4.

A group is ``{targets, weights: {num_bits, type, symmetric, strategy, group_size, actorder}, input_activations,
output_activations, format}``; layers in ``ignore`` are plain. Read are weights of four bits, packed ("pack-quantized"),
beside activations that are not quantized (W4A16), one scale per group or per row. Which layers a group is for shows in
the tensors. Source: compressed_tensors/quantization (QuantizationConfig, QuantizationArgs), config.py (formats).
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.prequantized.refused import unread
from edgekit.checkpoint.prequantized.scales import WHOLE_ROW, is_kept

_PACKED = "pack-quantized"
_SPARSE = ("sparse-24-bitmask", "sparse-bitmask", "marlin-24")
_FLOATS = {8: "FP8", 6: "FP6", 4: "FP4"}


def read_sizes(config: Fields) -> tuple[tuple[int, ...], bool]:
    """Read how many inputs share a scale, by group, and whether inputs were reordered;
    ``CheckpointError`` if not read.
    """
    if not config.table("config_groups").values:
        raise config.error("config_groups", "an object of groups")
    if (name := scheme_name(config)) != "W4A16":
        raise unread(config, f"compressed-tensors weights, {name}")
    if config.table("transform_config").values.get("config_groups"):
        raise unread(config, "compressed-tensors weights that were rotated (transform_config)")
    weights = [group.table("weights") for group in _groups(config)]
    sizes = [_size(each) for each in weights]
    orders = [each.values.get("actorder") for each in weights]
    return tuple(dict.fromkeys(sizes)), any(order in ("group", "dynamic", True) for order in orders)


def scheme_name(config: Fields) -> str:
    """Return what the scheme is called: "W4A16" where it may be read,
    else such as "W8A8 FP8" or "sparse 2:4 (marlin-24)".
    """
    written = config.text("format", _PACKED)
    sparse = config.table("sparsity_config").text("format", "dense")
    if written == "marlin-24" or sparse in _SPARSE:
        return f"sparse 2:4 ({written if written == 'marlin-24' else sparse})"
    names = [_name(group, group.text("format", written)) for group in _groups(config)]
    return next((name for name in names if name != "W4A16"), "W4A16")


def _groups(config: Fields) -> Iterator[Fields]:
    groups = config.table("config_groups")
    return (groups.table(name) for name in groups.values)


def _name(group: Fields, written: str) -> str:
    """One group's: bits of weights and activations, and the numbers' kind where it is not four bits beside sixteen."""
    weights = group.table("weights")
    bits, kind = weights.integer("num_bits", 8), weights.text("type", "int")
    activations = [group.table(f"{side}_activations") for side in ("input", "output")]
    act_bits = min(each.integer("num_bits", 8) if each.values else 16 for each in activations)
    name = f"W{bits}A{act_bits}"
    if written.startswith(("nvfp4", "mxfp")):
        return f"{name} {written.partition('-')[0].upper()}"
    if kind == "float":
        return f"{name} {_FLOATS.get(bits, 'float')}"
    if bits != 4 or act_bits != 16:
        return f"{name} int{bits}"
    return name if written in (_PACKED, "mixed-precision") else f"{name} in the format {written[:40]!r}"


def _size(weights: Fields) -> int:
    strategy, size = weights.text("strategy", "group"), weights.integer("group_size", WHOLE_ROW)
    if strategy not in ("group", "channel") or not is_kept(size):
        raise unread(weights, f"compressed-tensors weights with one scale per {strategy[:20]} (group_size {size})")
    return WHOLE_ROW if strategy == "channel" else size
