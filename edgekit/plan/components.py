"""What stays in memory from loading on and follows from shapes alone: weights and the KV arena."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import groups
from edgekit.checkpoint.shapes import cache_scales
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.engines.coefficients import Basis
from edgekit.plan.subject import TensorCounts, TensorKind, count_tensors, untied
from edgekit.recipe import Recipe

SideName = Literal["device", "host"]
When = Literal["static", "dynamic", "service"]


@dataclass(frozen=True, kw_only=True)
class Component:
    """Bytes of one thing: in whose memory (``side``), and when they are needed.

    ``when``: "static" from loading on, "dynamic" while answering, "service" over a service's life (pictures that it
    remembers, libraries' files that stay cached). ``form`` is a precision or a dtype, "" where there is none. ``basis``
    is how the number was found.
    """

    name: str
    bytes: int
    side: SideName
    when: When
    basis: Basis
    form: str = ""

    FILE_KEYS: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("name", "bytes")},
        "where": "side",
        **{name: name for name in ("when", "basis", "form")},
    }


def weight_bytes(checkpoint: Checkpoint, recipe: Recipe, activation_bytes: int) -> dict[str, int]:
    """Count the bytes of each component's weights in memory, for a graph whose activations are so wide."""
    shapes = {name: tensor.shape for name, tensor in checkpoint.tensors.items()}
    return weights_in_memory(count_tensors(shapes), recipe, activation_bytes)


def weights_in_memory(tensors: TensorCounts, recipe: Recipe, activation_bytes: int) -> dict[str, int]:
    """Count as :func:`weight_bytes` does.

    Scales and what is not quantized have the activations' width, whatever they have on disk: an engine converts them
    as it loads. The embedding stays on the host as its file has it, also where it is a tied head's: engines have that
    in a form of their own.
    """
    return _count(untied(tensors), recipe, activation_bytes, activation_bytes)


def weights_on_disk(tensors: TensorCounts, recipe: Recipe, activation_bytes: int) -> dict[str, int]:
    """Count the bytes of each component's weights in a bundle: what is not quantized lies there in 16 bits, where that
    loses nothing. (Vectors lie there as in memory; they are too few to be told apart.) A table that a tied int8 head
    and the embedding share is the head's."""
    return _count(tensors, recipe, activation_bytes, 2)


def _count(tensors: TensorCounts, recipe: Recipe, scale_bytes: int, plain_bytes: int) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for kind, count in tensors.items():
        counted[kind.part] += count * tensor_bytes(kind, recipe, scale_bytes, plain_bytes)
    return dict(counted)


def tensor_bytes(kind: TensorKind, recipe: Recipe, scale_bytes: int, plain_bytes: int) -> int:
    """Count the bytes of one tensor, where scales and plain numbers are so wide."""
    precision, shape, on_host = recipe.precision(kind.part, kind.layer), kind.shape, kind.part == "embedding"
    if kind.matrix and precision == "int4":
        return shape[0] * groups(shape[1], recipe.group) * (recipe.group // 2 + scale_bytes)
    if kind.matrix and precision == "int8":
        width = 0 if kind.tied and recipe.shares_head else shape[1]
        return shape[0] * (width + (2 if on_host else scale_bytes))
    if precision == "fp32":
        return prod(shape) * (4 if on_host else scale_bytes)
    return prod(shape) * (2 if on_host else plain_bytes)


def with_scales(tensors: TensorCounts, decoder: DecoderSpec, recipe: Recipe) -> TensorCounts:
    """Add to a model's tensors the scales of its cache, where the recipe has one in int8."""
    if recipe.kv != "int8":
        return tensors
    scales = count_tensors(cache_scales(decoder))
    return {kind: tensors.get(kind, 0) + scales.get(kind, 0) for kind in {**tensors, **scales}}


def width(dtype: str) -> int:
    """Count the bytes of an activation, or of what is kept of a key or value."""
    return {"float32": 4, "float16": 2, "int8": 1}[dtype]
