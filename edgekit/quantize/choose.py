"""``--fit BYTES``: the precision of each part that loses least within so many bytes of weights.

The cheapest first: everything as the recipe has it, then the part that wins back most of what was lost for each byte
that it takes, as long as one fits. What a part loses in the next wider precision counts as nothing: int8 loses a
hundredth of what int4 does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgekit.errors import ConfigError
from edgekit.quantize.sensitivity import Sensitivity
from edgekit.recipe import Recipe
from edgekit.units import format_bytes


@dataclass(frozen=True)
class Choice:
    """``recipe``: what was chosen; ``bytes``: its weights; ``wider``: the parts that were widened, in that order."""

    recipe: Recipe
    bytes: int
    wider: tuple[str, ...]


def choose(recipe: Recipe, sensitivity: Sensitivity, limit: int, size: Callable[[Recipe], int]) -> Choice:
    """Widen parts of ``recipe`` while ``size`` of it stays within ``limit`` bytes.

    :class:`ConfigError` where the recipe itself is larger.
    """
    least = size(recipe)
    if least > limit:
        raise ConfigError(
            f"Recipe '{recipe.name}' takes {format_bytes(least)} for its weights, {format_bytes(limit)} are allowed",
            "Allow more bytes, or choose a smaller model.",
        )
    chosen, bytes_, wider = recipe, least, []
    left = dict(sensitivity.losses)
    while left:
        options = []
        for name, loss in left.items():
            other = widened(chosen, name, sensitivity)
            if other is not None and (more := size(other) - bytes_) <= limit - bytes_:
                options.append((loss / max(1, more), name, other))
        if not options:
            break
        _, name, chosen = max(options, key=lambda option: option[0])
        bytes_ = size(chosen)
        wider.append(name)
        del left[name]
    return Choice(replace(chosen, name=recipe.name), bytes_, tuple(wider))


def widened(recipe: Recipe, part: str, sensitivity: Sensitivity) -> Recipe | None:
    """Return the recipe with one part in its next wider precision; None where it is wide already."""
    if part in sensitivity.layers:
        if recipe.decoder != "int4":
            return None
        return replace(recipe, int8_layers=tuple(sorted({*recipe.int8_layers, *sensitivity.layers[part]})))
    if part == "lm_head":
        return replace(recipe, lm_head="int8") if recipe.lm_head == "int4" else None
    if part == "vision":
        return replace(recipe, vision="fp16", projector="fp16") if recipe.vision == "int8" else None
    return replace(recipe, embedding="fp16") if recipe.embedding == "int8" else None
