"""Rotary position embedding as tables of cosines and sines, so that a graph only looks angles up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.spec import RopeSpec

Floats = npt.NDArray[np.float32]


def tables(rope: RopeSpec, positions: int) -> tuple[Floats, Floats]:
    """Return cos and sin of every position's angles, float32 ``[positions, rope.dim / 2]``.

    Angles are float32 products, as in the models' own code: float64 would be more exact, and differ from
    what the weights were trained with.
    """
    angles = np.arange(positions, dtype=np.float32)[:, None] * frequencies(rope)[None, :]
    return np.cos(angles), np.sin(angles)


def frequencies(rope: RopeSpec) -> Floats:
    """Return radians per position, float32 ``[rope.dim / 2]``: theta^(-2i/dim), scaled as the spec says."""
    exponents = np.arange(0, rope.dim, 2, dtype=np.float32) / np.float32(rope.dim)
    plain: Floats = np.float32(1) / np.power(np.float32(rope.theta), exponents)
    if rope.scaling == "linear":
        scaled: Floats = plain / np.float32(rope.factor)
        return scaled
    if rope.scaling == "llama3":
        return _llama3(plain, rope)
    return plain


def _llama3(plain: Floats, rope: RopeSpec) -> Floats:
    """Long waves are stretched by ``factor``, short ones kept, those between are blended (Llama 3.1)."""
    turns = rope.original_context * plain / np.float32(2 * np.pi)  # full turns within the first training's context
    blend = (turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
    blend = np.clip(blend, 0.0, 1.0).astype(np.float32)
    result: Floats = (1 - blend) * plain / np.float32(rope.factor) + blend * plain
    return result
