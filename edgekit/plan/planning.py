"""What a model will take on a device, from the headers of a checkpoint or the manifest of a bundle: no weight is read.

Memory that CPU and GPU share is counted once; a card's and its host's are counted each for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgekit.bundle import Bundle
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.coefficients import Coefficients, coefficients
from edgekit.engines.kv import arena_shape
from edgekit.errors import ConfigError
from edgekit.machine.room import total_memory
from edgekit.machine.system import cores
from edgekit.plan.building import asking_bytes, build_peaks, largest_matrix, reading_bytes
from edgekit.plan.components import (
    Component,
    SideName,
    weights_in_memory,
    weights_on_disk,
    width,
    with_scales,
)
from edgekit.plan.disk import Disk, disk, disk_of_bundle, golden_bytes
from edgekit.plan.memory import MemoryPlan
from edgekit.plan.subject import Model, Subject, subject_of, untied
from edgekit.plan.working import packing_bytes, vision_bytes, working
from edgekit.recipe import Recipe
from edgekit.target import Target
from edgekit.target.kinds import PROCESSOR

QUESTION = 64
"""Tokens that a context must have besides a picture's: a question and an answer, both short."""


def plan(model: Model, target: Target, recipe: Recipe) -> MemoryPlan:
    """Plan what ``model`` takes by ``recipe`` with the target's slots and context, as far as the model was made for it.

    Of a bundle, ``recipe`` and the target's context must be the bundle's (:func:`as_built`).
    :class:`~edgekit.errors.EdgeKitError` where the recipe is not for this model, or a context too short for a picture.
    """
    return plan_subject(subject_of(model, recipe), target, recipe)


def plan_subject(subject: Subject, target: Target, recipe: Recipe, fitted: Coefficients | None = None) -> MemoryPlan:
    """Plan as :func:`plan` does, of a model that has been looked at: many plans of one model take no time.

    ``fitted`` are coefficients to plan by instead of those that hold here.
    """
    require_cache(target, recipe)
    if not target.kind.shares_head:
        subject = replace(subject, tensors=untied(subject.tensors))
    target = on_this_machine(replace(target, context=usable_context(subject.spec, target)))
    table = fitted or coefficients(target.engine)
    parts = tuple(_parts(subject, target, recipe, table))
    largest = _largest(subject, target, recipe)
    checking = max(_asking_bytes(subject, target, recipe, table), reading_bytes(subject.spec))
    peaks = build_peaks(cores(), largest, checking, table)
    return MemoryPlan(
        model=subject.name,
        target=target,
        recipe=recipe.name,
        parts=parts,
        disk=_disk(subject, target, recipe, table),
        building=peaks,
    )


def _parts(subject: Subject, target: Target, recipe: Recipe, table: Coefficients) -> Iterator[Component]:
    spec = subject.spec
    tensors = with_scales(subject.tensors, spec.decoder, recipe)
    for name, size in weights_in_memory(tensors, recipe, width(target.activations)).items():
        side: SideName = "host" if name == "embedding" else "device"
        form = recipe.precision(name)
        yield Component(name=name, bytes=size, side=side, when="static", basis="exact", form=form)
    chunk = min(target.kind.chunk, target.context)
    arena = arena_shape(spec.decoder, target.kind, recipe.kv, target.slots, target.context, chunk)
    size = arena.allocated_bytes
    yield Component(name="kv_arena", bytes=size, side="device", when="static", basis="exact", form=arena.dtype)
    yield from working(spec, tensors, recipe, target, table)


def _largest(subject: Subject, target: Target, recipe: Recipe) -> int:
    """What compiling holds as a whole: the largest matrix, or TensorRT the largest graph's weights: the decoder's."""
    wide = width(target.activations)
    if target.kind.compiles == "graph":
        weights = weights_in_memory(subject.tensors, recipe, wide)
        return weights["decoder"] + weights["lm_head"]
    return largest_matrix(subject.tensors, subject.spec.decoder, recipe, wide)


def _asking_bytes(subject: Subject, target: Target, recipe: Recipe, table: Coefficients) -> int:
    """Of the engine that a build asks: it runs here, on the CPU, in the dtype of the target's graphs."""
    here = replace(target, engine=PROCESSOR)
    weights = weights_in_memory(subject.tensors, recipe, width(target.activations))
    loaded = sum(weights.values()) - weights.get("embedding", 0) + packing_bytes(subject.tensors, recipe, here)
    scratch = round(table.vision_scratch.ratio * vision_bytes(subject.spec.vision, 4, table))
    return asking_bytes(loaded, subject.spec, target.context) + scratch


def _disk(subject: Subject, target: Target, recipe: Recipe, table: Coefficients) -> Disk:
    wide = width(target.activations)
    tensors = with_scales(subject.tensors, subject.spec.decoder, recipe)
    memory = weights_in_memory(tensors, recipe, wide)
    loaded = sum(memory.values()) - memory.get("embedding", 0) + packing_bytes(tensors, recipe, target)
    if subject.sealed_bytes:
        return disk_of_bundle(subject.sealed_bytes, subject.compiled_bytes, loaded, table)
    stored = sum(weights_on_disk(tensors, recipe, wide).values()) + golden_bytes(subject.spec)
    return disk(subject.checkpoint_bytes, stored, subject.tokenizer_bytes, loaded, table)


def require_cache(target: Target, recipe: Recipe) -> None:
    """Raise :class:`ConfigError` where the target's engine has no kernel for the recipe's KV cache."""
    if recipe.kv == "int8" and not target.kind.int8_cache:
        raise ConfigError(
            f"recipe '{recipe.name}' has kv = int8, which is for CPUs; {target.name} runs {target.engine}",
            'Set kv = "activations" in the recipe for this target.',
        )


def on_this_machine(target: Target) -> Target:
    """Return the target with this machine's memory where it names none; one with less than is reserved has nothing
    left."""
    if target.memory_bytes:
        return target
    memory = total_memory()
    return replace(target, memory_bytes=memory, reserved_bytes=min(target.reserved_bytes, memory - 1))


def least_context(spec: ModelSpec) -> int:
    """Return the shortest context that holds a picture and a question about it."""
    return spec.tokens_per_image + QUESTION


def usable_context(spec: ModelSpec, target: Target) -> int:
    """Count the tokens of context that a bundle is built for: the target's, as far as the model was made for it, and as
    its engine's rows can be laid out."""
    context = min(target.context, spec.decoder.context)
    context -= context % target.kind.context_step(spec.decoder.kv_heads * spec.decoder.head_dim)
    if context < least_context(spec):
        raise ConfigError(
            f"a context of {context} tokens is too short: one image takes {spec.tokens_per_image}",
            f"Give the target a context of at least {least_context(spec)}.",
        )
    if target.slots > context:
        raise ConfigError(
            f"{target.slots} slots are more than the {context} tokens that each would hold",
            "Give the target as many slots as people ask at once.",
        )
    return context


def as_built(bundle: Bundle, target: Target | None = None) -> tuple[Target, Recipe]:
    """Return a bundle's target, or another one, with the bundle's context; and the bundle's recipe.

    :class:`ConfigError` where the other target runs another engine: the graphs are for the one that it was built for.
    """
    manifest = bundle.manifest
    other = target or manifest.target
    if other.kind != manifest.target.kind:
        raise ConfigError(
            f"{bundle.path} was built for {manifest.target.name} ({manifest.target.engine}); "
            f"{other.name} runs {other.engine}",
            "Plan the checkpoint that it was built from, and build it for that target.",
        )
    return replace(other, context=manifest.context), manifest.recipe
