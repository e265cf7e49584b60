"""The shapes that a bundle's plans are made for: a piece of a prompt, and a step of all rows, behind any past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from edgekit.checkpoint.spec import DecoderSpec, ModelSpec
from edgekit.engines.gpu.arena import buckets
from edgekit.target.kinds import KINDS

Shape: TypeAlias = tuple[int, ...]
Profile: TypeAlias = Mapping[str, tuple[Shape, Shape, Shape]]
"""The shapes that a plan is made for: input → its smallest, its usual (kernels are the fastest there), its largest.

A layer's query, key and value want to be one matrix in the graph. Where they are three, TensorRT-RTX 1.7 may keep them
anew for every profile, and makes no one kernel of the attention of more than two rows that are one token long.
"""
_USUAL = 1024
"""A picture, a question and an answer."""


def chunk_for(context: int) -> int:
    """Return the most tokens of a prompt that plans for a context read at once."""
    return min(KINDS["tensorrt"].chunk, context)


def sizes(slots: int, context: int) -> dict[str, int]:
    """Return what the shapes of a bundle's plans follow from, beside its graphs."""
    return {"slots": slots, "context": context, "chunk": chunk_for(context)}


def profiles(spec: ModelSpec, slots: int, context: int) -> dict[str, tuple[Profile, ...]]:
    """Return those of each graph. The decoder has two: a piece of one row's prompt, and a token of each of up to
    ``slots`` rows."""
    pixels, features = (1, 3, spec.image.size, spec.image.size), (1, spec.vision.tokens, spec.vision.hidden)
    chunk = chunk_for(context)
    return {
        "vision": ({"pixels": (pixels, pixels, pixels)},),
        "projector": ({"features": (features, features, features)},),
        "decoder": (
            _decoder(spec.decoder, (1, 1, 1), (1, min(256, chunk), chunk), context),
            _decoder(spec.decoder, (1, 1, slots), (1, 1, 1), context),
        ),
    }


def _decoder(decoder: DecoderSpec, rows: tuple[int, int, int], lengths: tuple[int, int, int], context: int) -> Profile:
    places = buckets(context)[0], min(_USUAL, context), context
    past = [(row, decoder.kv_heads, place, decoder.head_dim) for row, place in zip(rows, places, strict=True)]
    embeds = [(row, length, decoder.hidden) for row, length in zip(rows, lengths, strict=True)]
    ranges: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
        f"past.{layer}.{part}": (past[0], past[1], past[2])
        for layer in range(decoder.layers)
        for part in ("key", "value")
    }
    ranges["inputs_embeds"] = embeds[0], embeds[1], embeds[2]
    ranges["lengths"] = (rows[0],), (rows[1],), (rows[2],)
    return ranges
