"""Where a model does not fit: what would, the cheapest loss first.

Given up are slots first (fewer people at once), then context (shorter conversations), then precision, component by
component in the order in which answers suffer: vision int8 (cosine 0.9995 of a tower's output), embedding int8,
decoder int8, decoder int4. What no engine can do (KV in int8, the vision tower put away after a picture) is not
advised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, cast

from edgekit.bundle import Bundle
from edgekit.checkpoint.packed import is_packed
from edgekit.errors import GateRefused
from edgekit.plan.memory import MemoryPlan
from edgekit.plan.planning import Model, least_context, on_this_machine, plan, spec_of, usable_context
from edgekit.recipe import Precision, Recipe, recipes
from edgekit.target import Target
from edgekit.units import format_bytes

_STEPS: tuple[tuple[str, tuple[str, ...], Precision, int], ...] = (
    ("vision int8", ("vision", "projector"), "int8", 1),
    ("embedding int8", ("embedding",), "int8", 2),
    ("decoder int8", ("decoder", "lm_head"), "int8", 4),
    ("decoder int4", ("decoder", "lm_head"), "int4", 8),
)
"""What becomes of which components, and the loss: more than that of all steps before it together."""
_WIDTH = {"fp32": 32, "fp16": 16, "int8": 8, "int4": 4}
_CONTEXT_STEP = 256
_SHOWN = 3


@dataclass(frozen=True)
class Candidate:
    """Something to give up: ``loss`` counts steps of precision, context and slots, in the order in which they weigh."""

    loss: tuple[int, int, int]
    target: Target
    recipe: Recipe

    def costs_no_more(self, other: Candidate) -> bool:
        """Whether this gives up nothing that ``other`` keeps."""
        return all(mine <= theirs for mine, theirs in zip(self.loss, other.loss, strict=True))


@dataclass(frozen=True)
class Option:
    """A configuration that fits, in words and as arguments of `edgekit build`; ``free_bytes`` stay free."""

    text: str
    target: Target
    recipe: Recipe
    free_bytes: int


def candidates(model: Model, target: Target, recipe: Recipe) -> list[Candidate]:
    """Everything that could be given up, the cheapest first; nothing given up is not among it."""
    target = replace(on_this_machine(target), context=usable_context(spec_of(model), target))
    slots = _halved(target.slots, 1)
    contexts = _halved(target.context, -(-least_context(spec_of(model)) // _CONTEXT_STEP) * _CONTEXT_STEP)
    made = (
        Candidate((loss, j, i), replace(target, context=context, slots=count), smaller)
        for (loss, smaller), (j, context), (i, count) in product(
            _precisions(model, recipe), enumerate(contexts), enumerate(slots)
        )
        if loss or i or j
    )
    return sorted(made, key=lambda candidate: candidate.loss)


def advice(model: Model, target: Target, recipe: Recipe) -> list[Option]:
    """What fits, the cheapest loss first: none gives up all that another does, and more.

    The last may be a shipped recipe that fits with all slots and the whole context: it needs no file of one's own.
    """
    kept: list[tuple[Candidate, MemoryPlan]] = []
    for candidate in candidates(model, target, recipe):
        if not any(cheaper.costs_no_more(candidate) for cheaper, _ in kept):
            planned = plan(model, candidate.target, candidate.recipe)
            if planned.fits:
                kept.append((candidate, planned))
    found = [_option(candidate, planned, target, recipe) for candidate, planned in kept[:_SHOWN]]
    ready = _shipped(model, target, recipe)
    if ready and ready.recipe not in [option.recipe for option in found]:
        found.append(ready)
    return found


def _precisions(model: Model, recipe: Recipe) -> Iterator[tuple[int, Recipe]]:
    """Loss and recipe of every set of steps that this recipe has not taken; of packed weights nothing changes."""
    yield 0, recipe
    if not isinstance(model, Bundle) and not any(is_packed(tensor) for tensor in model.tensors.values()):
        for taken in range(1, 1 << len(_STEPS)):
            if smaller := _smaller(recipe, taken):
                yield taken, smaller


def _smaller(recipe: Recipe, taken: int) -> Recipe | None:
    """The recipe after steps (bits of ``taken``), None where one of them changes nothing or undoes another."""
    if taken & 12 == 12:
        return None
    changed: dict[str, Precision] = {}
    for _, parts, precision, bit in _STEPS:
        if taken & bit:
            if not any(_WIDTH[recipe.precision(part)] > _WIDTH[precision] for part in parts):
                return None
            changed |= {part: precision for part in parts if _WIDTH[recipe.precision(part)] > _WIDTH[precision]}
    return _named(replace(recipe, name=f"{recipe.name}-smaller", **cast(Any, changed)))


def _named(recipe: Recipe) -> Recipe:
    """The shipped recipe that stores weights in the same way, if there is one."""
    for known in _known():
        if replace(recipe, name=known.name, title=known.title) == known:
            return known
    return recipe


@cache
def _known() -> tuple[Recipe, ...]:
    return tuple(recipes())


def _shipped(model: Model, target: Target, recipe: Recipe) -> Option | None:
    whole = [candidate for candidate in candidates(model, target, recipe) if candidate.loss[1:] == (0, 0)]
    for candidate in whole:
        if candidate.recipe in _known():
            planned = plan(model, candidate.target, candidate.recipe)
            if planned.fits:
                return _option(candidate, planned, target, recipe)
    return None


def _halved(count: int, least: int) -> list[int]:
    """``count``, and halves of it as far as ``least``."""
    counts = [count]
    while counts[-1] // 2 >= least:
        counts.append(counts[-1] // 2)
    return counts


def _option(candidate: Candidate, planned: MemoryPlan, target: Target, recipe: Recipe) -> Option:
    said = []
    if candidate.recipe in _known():
        said += [f"--recipe {candidate.recipe.name}"] if candidate.recipe != recipe else []
    else:
        said += ["a recipe with " + ", ".join(text for text, _, _, bit in _STEPS if candidate.loss[0] & bit)]
    said += [f"{candidate.target.slots} slot{'s' * (candidate.target.slots > 1)}"] if candidate.loss[2] else []
    said += [f"a context of {candidate.target.context}"] if candidate.loss[1] else []
    return Option(", ".join(said), candidate.target, candidate.recipe, planned.free_bytes)


def require_fit(planned: MemoryPlan, model: Model, recipe: Recipe) -> None:
    """:class:`GateRefused`, with what would fit as its hint, where the plan doesn't fit its target."""
    if not planned.fits:
        raise GateRefused(shortfall(planned), hint(advice(model, planned.target, recipe)))


def shortfall(planned: MemoryPlan) -> str:
    """By how much a plan doesn't fit."""
    side = planned.sides[0]
    return (
        f"{planned.target.title} has {format_bytes(side.available_bytes)} for a model; {planned.model} by "
        f"{planned.recipe}, {planned.target.slots} × {planned.target.context} tokens, takes "
        f"{format_bytes(side.needed_bytes)}, {format_bytes(-side.free_bytes)} too much"
    )


def hint(options: Sequence[Option]) -> str:
    """Options as lines for people."""
    if not options:
        return "Nothing that can be given up makes it fit: take a smaller model or a larger device."
    return "\n".join(
        ["What fits, the cheapest loss first:"]
        + [f"  {option.text}: {format_bytes(option.free_bytes)} to spare" for option in options]
    )
