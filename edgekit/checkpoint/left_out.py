"""Stored tensors that the described model has no place for: transformers drops them with a warning; a note says so.

Most checkpoints hold some that mean nothing (rotary tables, the tower's layers behind the selected one). Others,
such as the biases of a layer that config.json describes without, are a sign that config.json is another model's.
"""

from __future__ import annotations

import re

from edgekit.checkpoint.dialects.reading import Reading
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.source import Source, printable
from edgekit.checkpoint.tower import PATCH_WEIGHT

_TABLES = re.compile(r"(?:rotary_emb\.inv_freq|position_ids|masked_bias)$")
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")
_BEHIND = ("post_layernorm.", "head.")


def left_out(source: Source, reading: Reading) -> tuple[str, ...]:
    """Return a note that names the tensors of ``source`` that ``reading`` leaves out;
    none where that is as it should be.
    """
    used = {stored for stored, _ in reading.tensors.values()}
    names = sorted(name for name in source.tensors if name not in used and not _expected(name, source, reading))
    if not names:
        return ()
    shown = ", ".join(printable(name[:100]) for name in names[:3]) + (" and others" if len(names) > 3 else "")
    count = "a stored tensor" if len(names) == 1 else f"{len(names)} stored tensors"
    return (f"The model that config.json describes has no place for {count}: {shown}.",)


def _expected(name: str, source: Source, reading: Reading) -> bool:
    if name.endswith("lm_head.weight"):  # equal to the embedding that it is tied to
        return reading.spec.decoder.tied
    return bool(_TABLES.search(name)) or _is_spare_tower(name, source, reading) or _is_empty_bias(name, source)


def _is_spare_tower(name: str, source: Source, reading: Reading) -> bool:
    """What the checkpoint's own tower has behind the selected layer; all of it where --vision gave another."""
    patch, tensor = reading.tensors["vision.patch.weight"]
    if tensor is not source.tensors.get(patch):  # a note of its own says so
        return "vision_tower." in name
    tower = patch.removesuffix(PATCH_WEIGHT)
    stem = name.removeprefix(tower)
    layer = _LAYER.match(stem)
    behind = stem.startswith(_BEHIND) or bool(layer and int(layer[1]) >= reading.spec.vision.layers)
    return name.startswith(tower) and behind


def _is_empty_bias(name: str, source: Source) -> bool:
    """A bias of zeros that AutoGPTQ wrote beside a packed Linear; others have been refused."""
    weight = source.tensors.get(name.removesuffix("bias") + "weight") if name.endswith(".bias") else None
    return weight is not None and (is_packed(weight) or isinstance(weight, UnpackedMatrix))
