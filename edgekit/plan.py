"""What a model will take on a device, from the checkpoint's shapes alone: no weight is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod

from edgekit.checkpoint.checkpoint import Checkpoint, component, is_matrix
from edgekit.checkpoint.packed import groups
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.detect import detect
from edgekit.errors import GateRefused
from edgekit.recipe import Recipe
from edgekit.target import Target
from edgekit.units import format_bytes


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes per component (weights by the recipe's names, and "kv_arena"), and what the target offers.

    ``available_bytes`` is the target's memory, or this machine's where the target says "whatever it has", less what
    the target reserves; 0 where nothing is known.
    """

    components: dict[str, int]
    available_bytes: int

    @property
    def static_bytes(self) -> int:
        return sum(self.components.values())

    @property
    def fits(self) -> bool:
        return not self.available_bytes or self.static_bytes <= self.available_bytes


def plan(checkpoint: Checkpoint, target: Target, recipe: Recipe) -> MemoryPlan:
    """Weights as the recipe stores them for this target, and the KV arena of its slots and context."""
    components = weight_bytes(checkpoint, recipe, 4 if target.activations == "float32" else 2)
    context = min(target.context, checkpoint.spec.decoder.context)
    components["kv_arena"] = arena_bytes(checkpoint.spec.decoder, target.slots, context, target.activations)
    available = max(0, (target.memory_bytes or detect().memory_bytes) - target.reserved_bytes)
    return MemoryPlan(components, available)


def arena_rows(slots: int) -> int:
    """Rows that an engine allocates for so many slots: one, or an even number (its kernels take tokens in pairs)."""
    return slots if slots == 1 else slots + slots % 2


def arena_bytes(decoder: DecoderSpec, slots: int, context: int, activations: str) -> int:
    """Bytes of the KV arena: keys and values of every layer, in the activations' dtype."""
    width = 4 if activations == "float32" else 2
    token = 2 * decoder.layers * decoder.kv_heads * decoder.head_dim * width
    return token * context * arena_rows(slots)


def weight_bytes(checkpoint: Checkpoint, recipe: Recipe, activation_bytes: int) -> dict[str, int]:
    """Bytes of each component's weights; scales and small tensors have the activations' width."""
    counted: Counter[str] = Counter()
    for name, tensor in checkpoint.tensors.items():
        part = component(name)
        precision = recipe.precision(part)
        if precision in ("int4", "int8") and is_matrix(name):
            rows, columns = tensor.shape
            scale_bytes = 2 if part == "embedding" else activation_bytes
            if precision == "int8":
                counted[part] += rows * (columns + scale_bytes)
            else:
                counted[part] += rows * groups(columns, recipe.group) * (recipe.group // 2 + scale_bytes)
        else:
            counted[part] += prod(tensor.shape) * (4 if precision == "fp32" else activation_bytes)
    return dict(counted)


def require_fit(planned: MemoryPlan, target: Target) -> None:
    """:class:`GateRefused` where the weights and the arena alone are more than the target has."""
    if not planned.fits:
        short = planned.static_bytes - planned.available_bytes
        raise GateRefused(
            f"{target.title} has {format_bytes(planned.available_bytes)} for a model; weights and KV arena take "
            f"{format_bytes(planned.static_bytes)}, {format_bytes(short)} too much",
            "Take a smaller recipe (q8, q4), or a target file with fewer slots or a shorter context.",
        )
