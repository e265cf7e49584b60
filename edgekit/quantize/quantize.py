"""From a checkpoint and a recipe to a checkpoint whose weights are as the recipe says: a lazy view.

Nothing is read here. Who streams the view's tensors (export, :func:`~edgekit.quantize.write.write_checkpoint`)
reads, converts and drops each weight once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component, is_matrix, layer_of
from edgekit.checkpoint.packed import Bits, PackedTensor, Tensor, is_packed
from edgekit.checkpoint.shapes import cache_scales, input_ranges
from edgekit.errors import CheckpointError
from edgekit.quantize.floats import FORMATS
from edgekit.quantize.tensors import CastTensor, RoundedTensor
from edgekit.recipe import Precision, Recipe

_BITS: dict[Precision, Bits] = {"int4": 4, "int8": 8}


def quantize(checkpoint: Checkpoint, recipe: Recipe) -> Checkpoint:
    """Return the checkpoint in the recipe's precision: matrices packed, the rest in fp16 (fp32 where the recipe says).

    Each matrix by itself, rounded to nearest (:mod:`edgekit.quantize.rtn`), whatever the recipe's method: other ones
    want samples (:mod:`edgekit.quantize.calibrate`). Weights that are packed already stay as they are when they fit
    the recipe; :class:`CheckpointError` when they don't. So do scales of an int8 KV cache and a tower's static ranges,
    which want samples too (:mod:`edgekit.quantize.cache`, :mod:`edgekit.quantize.tower`): they go where the recipe has
    no such thing. Numbers that can't be represented are found when they are read.
    """
    brought = dict.fromkeys(cache_scales(checkpoint.spec.decoder), recipe.kv == "int8")
    brought |= dict.fromkeys(input_ranges(checkpoint.spec), recipe.vision_ranges == "static")
    tensors = {
        name: weight if name in brought else _convert(name, weight, recipe)
        for name, weight in checkpoint.tensors.items()
        if brought.get(name, True)
    }
    return replace(checkpoint, tensors=tensors)


def _convert(name: str, weight: Weight, recipe: Recipe) -> Weight:
    precision = recipe.precision(component(name), layer_of(name))
    bits = _BITS.get(precision) if is_matrix(name) else None
    group = weight.shape[1] if bits == 8 else recipe.group
    if is_packed(weight):
        if (weight.bits, weight.group) == (bits, group):
            return weight
        raise CheckpointError(
            f"{name} is quantized already (int{weight.bits}, group {weight.group}), and recipe "
            f"'{recipe.name}' wants {precision}{f', group {group}' if bits else ''}",
            f"Take a recipe that keeps it: a TOML, given by its path, with {_kept(name, weight)}. "
            "Or quantize the original checkpoint with this one.",
        )
    plain = cast("Tensor", weight)
    if plain.dtype.name not in FORMATS:
        raise CheckpointError(f"{name} is stored as {plain.dtype}", f"Save the checkpoint as {', '.join(FORMATS)}.")
    if bits:
        return RoundedTensor(name, plain, bits, group)
    return CastTensor(name, plain, np.dtype(np.float32 if precision == "fp32" else np.float16))


def _kept(name: str, weight: PackedTensor) -> str:
    """The lines of a recipe by which a packed weight stays as it is."""
    precision = f'{component(name)} = "int{weight.bits}"'
    return f"{precision} and group = {weight.group}" if weight.bits == 4 else precision
