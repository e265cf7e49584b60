"""Where a model does not fit: what would, the cheapest loss first.

Given up are slots first (fewer people at once), then context (shorter conversations), then the cache's precision where
the engine has a kernel for int8, then that of weights, component by component in the order in which answers suffer:
vision int8 (cosine 0.9995 of a tower's output), embedding int8, decoder int8, decoder int4. What no engine can do (the
vision tower put away after a picture) is not advised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, product
from typing import Any, cast

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.engines.kv import paired
from edgekit.errors import GateRefused
from edgekit.plan.memory import MemoryPlan
from edgekit.plan.planning import least_context, on_this_machine, plan_subject, usable_context
from edgekit.plan.subject import Model, Subject, subject_of
from edgekit.recipe import Cache, Precision, Recipe, recipes
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
_SHOWN = 3
_OWN_RECIPE = "a recipe with"
_FILES = (
    "Slots, context and a recipe of your own stand in a copy of the target's or the recipe's TOML, given by its path."
)


@dataclass(frozen=True)
class Candidate:
    """Something to give up: ``loss`` counts steps of precision, the cache's precision, context and slots, in the order
    in which they weigh."""

    loss: tuple[int, int, int, int]
    target: Target
    recipe: Recipe

    def costs_no_more(self, other: Candidate) -> bool:
        """Say whether this gives up nothing that ``other`` keeps."""
        return all(mine <= theirs for mine, theirs in zip(self.loss, other.loss, strict=True))


@dataclass(frozen=True)
class Option:
    """A configuration that fits, in words and as arguments of `edgekit build`; ``free_bytes`` stay free."""

    text: str
    target: Target
    recipe: Recipe
    free_bytes: int

    def document(self) -> dict[str, Any]:
        """Return an option as JSON has it."""
        return {
            "text": self.text,
            "recipe": config.dump(self.recipe),
            "slots": self.target.slots,
            "context": self.target.context,
            "free_bytes": self.free_bytes,
        }


def candidates(subject: Subject, target: Target, recipe: Recipe) -> list[Candidate]:
    """List everything that could be given up, the cheapest first; nothing given up is not among it."""
    target = replace(on_this_machine(target), context=usable_context(subject.spec, target))
    options = (
        Candidate((loss, k, j, i), replace(target, context=context, slots=slots), _cached(smaller, cache))
        for (loss, smaller), (k, cache), (j, context), (i, slots) in product(
            _precisions(subject, recipe),
            enumerate(_caches(subject, target, recipe)),
            enumerate(_contexts(subject, target)),
            enumerate(_slots(target)),
        )
        if loss or k or j or i
    )
    return sorted(options, key=lambda candidate: candidate.loss)


def advice(model: Model, target: Target, recipe: Recipe) -> list[Option]:
    """List what fits, the cheapest loss first: none gives up all that another does, and more.

    The last may be a shipped recipe that fits with all slots and the whole context: it needs no file of one's own.
    """
    subject = subject_of(model, recipe)
    every = candidates(subject, target, recipe)
    kept: list[Candidate] = []
    for candidate in every:
        dearer = any(cheaper.costs_no_more(candidate) for cheaper in kept)
        if not dearer and _plan(subject, candidate).fits:
            kept.append(candidate)
    ready = (
        each for each in every if each.recipe in _shipped() and not any(each.loss[1:]) and _plan(subject, each).fits
    )
    shown = dict.fromkeys([*kept[:_SHOWN], *islice(ready, 1)])
    return [_option(candidate, _plan(subject, candidate)) for candidate in shown]


def _plan(subject: Subject, candidate: Candidate) -> MemoryPlan:
    return plan_subject(subject, candidate.target, candidate.recipe)


def _slots(target: Target) -> list[int]:
    """The target's, and every smaller number that takes less: rows come in pairs, but for a single one."""
    return [target.slots, *range(paired(target.slots) - 2, 1, -2), *([1] if target.slots > 1 else [])]


def _contexts(subject: Subject, target: Target) -> list[int]:
    """The target's, and halves of it that still hold a picture and some text; a bundle's is fixed."""
    contexts = [target.context]
    while subject.by_context and contexts[-1] // 2 >= least_context(subject.spec):
        contexts.append(contexts[-1] // 2)
    return contexts


def _caches(subject: Subject, target: Target, recipe: Recipe) -> list[Cache]:
    """The recipe's, and int8 where the engine has it; a bundle's is fixed."""
    more = subject.by_context and target.kind.int8_cache and recipe.kv != "int8"
    return [recipe.kv, "int8"] if more else [recipe.kv]


def _cached(recipe: Recipe, cache: Cache) -> Recipe:
    return recipe if recipe.kv == cache else replace(recipe, name=f"{recipe.name}-kv8", kv=cache)


def _precisions(subject: Subject, recipe: Recipe) -> Iterator[tuple[int, Recipe]]:
    """Loss and recipe of every set of steps that this recipe has not taken; none for what can't be quantized anew."""
    yield 0, recipe
    for taken in range(1, 1 << len(_STEPS)) if subject.by_recipe else ():
        if smaller := _smaller(recipe, taken):
            yield taken, smaller


def _smaller(recipe: Recipe, steps: int) -> Recipe | None:
    """The recipe after steps (bits of ``steps``), None where one of them changes nothing or undoes another."""
    if steps & 12 == 12:
        return None
    changed: dict[str, Precision] = {}
    for _, parts, precision, bit in _STEPS:
        if steps & bit:
            if not any(_WIDTH[recipe.precision(part)] > _WIDTH[precision] for part in parts):
                return None
            changed |= {part: precision for part in parts if _WIDTH[recipe.precision(part)] > _WIDTH[precision]}
    return _named(replace(recipe, name=f"{recipe.name}-smaller", **cast(Any, changed)))


def _named(recipe: Recipe) -> Recipe:
    """The shipped recipe that stores weights in the same way, if there is one."""
    for shipped in _shipped():
        if replace(recipe, name=shipped.name, title=shipped.title, gate=shipped.gate) == shipped:
            return shipped
    return recipe


@cache
def _shipped() -> tuple[Recipe, ...]:
    return tuple(recipes())


def _option(candidate: Candidate, planned: MemoryPlan) -> Option:
    precision, cache, context, slots = candidate.loss
    taken = [text for text, _, _, bit in _STEPS if precision & bit] + ["kv int8"] * bool(cache)
    steps = ", ".join(taken)
    said = [f"--recipe {candidate.recipe.name}" if candidate.recipe in _shipped() else f"{_OWN_RECIPE} {steps}"]
    said = said if taken else []
    said += [f"{candidate.target.slots} slot{'s' * (candidate.target.slots > 1)}"] if slots else []
    said += [f"a context of {candidate.target.context}"] if context else []
    return Option(", ".join(said), candidate.target, candidate.recipe, planned.free_bytes)


def require_fit(planned: MemoryPlan, model: Model, recipe: Recipe) -> None:
    """Raise :class:`GateRefused`, with what would fit as its hint, where the plan doesn't fit its target."""
    if not planned.fits:
        raise GateRefused(shortfall(planned), hint(advice(model, planned.target, recipe), model))


def shortfall(planned: MemoryPlan) -> str:
    """Say by how much a plan doesn't fit."""
    side = planned.sides[0]
    return (
        f"{planned.target.title} has {format_bytes(side.available_bytes)} for a model; {planned.model} by "
        f"{planned.recipe}, {planned.target.slots} × {planned.target.context} tokens, takes "
        f"{format_bytes(side.needed_bytes)}, {format_bytes(-side.free_bytes)} too much"
    )


def hint(options: Sequence[Option], model: Model) -> str:
    """Write options as lines for people, and where to say so."""
    built = isinstance(model, Bundle)
    if not options:
        other = "plan the checkpoint that it was built from" if built else "take a smaller model"
        return f"Nothing that can be given up makes it fit: {other}, or take a larger device."
    lines = [f"  {option.text}: {format_bytes(option.free_bytes)} to spare" for option in options]
    by_file = not built and any(option.text.count("--recipe") != len(option.text.split(", ")) for option in options)
    return "\n".join(["What fits, the cheapest loss first:", *lines, *([_FILES] if by_file else [])])
