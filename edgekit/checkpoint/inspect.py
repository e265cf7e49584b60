"""What a checkpoint holds, in the figures that people ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from edgekit import config
from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component
from edgekit.checkpoint.packed import Tensor, groups, is_packed
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.spec import ModelSpec, TemplateSpec


@dataclass(frozen=True)
class Part:
    """One component: what it is, its parameters, their bytes as stored, and in which types they are stored."""

    name: str
    kind: str
    parameters: int
    bytes: int
    dtypes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """An inspection shows a checkpoint at a glance.

    * ``family``: whose layout it has ("llava-hf")
    * ``parts``: its components, in the order of its tensors; ``parameters``: of all of them
    * ``bytes``: the size of its files
    * ``context``, ``tokens_per_image``: in tokens
    * ``vocab``: rows of the embedding
    * ``image_size``: the side of the picture that the tower reads, in pixels
    * ``template``: how a conversation is written down
    * ``licence``, ``intended_use``: what its makers say of them; "" where they say nothing
    * ``notes``: what reading it decided, a sentence each
    """

    family: str
    parts: tuple[Part, ...]
    parameters: int
    bytes: int
    context: int
    vocab: int
    image_size: int
    tokens_per_image: int
    template: TemplateSpec
    licence: str
    intended_use: str
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit inspect CHECKPOINT --json`` writes."""
        return dict(config.dump(self))


def inspect(checkpoint: Checkpoint) -> Inspection:
    """Count what ``checkpoint`` holds, by its headers."""
    spec = checkpoint.spec
    tensors: dict[str, dict[str, Weight]] = {}
    for name, weight in checkpoint.tensors.items():
        tied = spec.decoder.tied and name == "decoder.lm_head.weight"
        members = tensors.setdefault(component(name), {})
        if not tied:
            members[name] = weight
    parts = tuple(_part(name, _kind(name, spec), members) for name, members in tensors.items())
    return Inspection(
        family=spec.family,
        parts=parts,
        parameters=sum(part.parameters for part in parts),
        bytes=checkpoint.bytes,
        context=spec.decoder.context,
        vocab=spec.decoder.vocab,
        image_size=spec.vision.image_size,
        tokens_per_image=spec.tokens_per_image,
        template=spec.template,
        licence=spec.licence,
        intended_use=spec.intended_use,
        notes=spec.notes,
    )


def _part(name: str, kind: str, tensors: Mapping[str, Weight]) -> Part:
    return Part(
        name=name,
        kind=kind,
        parameters=sum(math.prod(weight.shape) for weight in tensors.values()),
        bytes=sum(stored_bytes(weight) for weight in tensors.values()),
        dtypes=tuple(sorted({_dtype(weight) for weight in tensors.values()})),
    )


def stored_bytes(weight: Weight) -> int:
    """Return what a weight takes: its elements, or its codes and scales."""
    if is_packed(weight):
        n, k = weight.shape
        count = groups(k, weight.group)
        return n * (count * weight.group // 2 if weight.bits == 4 else k) + 2 * n * count
    if isinstance(weight, UnpackedMatrix):
        return weight.stored.nbytes
    return math.prod(weight.shape) * cast("Tensor", weight).dtype.itemsize


def _dtype(weight: Weight) -> str:
    if isinstance(weight, UnpackedMatrix):
        return f"int4, {weight.kind}"
    return f"int{weight.bits}" if is_packed(weight) else cast("Tensor", weight).dtype.name


def _kind(name: str, spec: ModelSpec) -> str:
    vision, decoder = spec.vision, spec.decoder
    if name == "vision":
        return f"{vision.kind}, {vision.layers} layers, {vision.hidden} wide, {vision.image_size}/{vision.patch}"
    if name == "projector":
        depth = len(spec.projector.widths) - 1
        return "linear" if depth == 1 else f"{depth} linear layers, {spec.projector.activation}"
    if name == "decoder":
        heads = f"{decoder.heads}:{decoder.kv_heads} heads of {decoder.head_dim}"
        return f"{decoder.kind}, {decoder.layers} layers, {decoder.hidden} wide, {heads}"
    return "tied to the embedding" if name == "lm_head" and decoder.tied else f"{decoder.vocab} tokens"
