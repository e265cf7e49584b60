"""How far a decoder is off whose products are added up in float16, one by one: ``… float16_sums WIDTH MLP LAYERS``.

A Llama decoder of random weights, computed twice, as ONNX Runtime computes it on aarch64 with half precision (one
float16 sum for each output, a fused multiply-add at a time) and in float32. No such processor is needed: the products'
very bits are those of an emulated Cortex-A76. A 7B one (4096 11008 32) takes an hour and a gigabyte.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from edgekit.check.measure import gain, relative_error
from edgekit.check.rounding import of_sum

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
ROWS, HEAD_DIM, KEPT = 4, 128, 256


@dataclass(frozen=True)
class Pair:
    """The same rows in float16 and in float32."""

    half: Array
    exact: Array

    def each(self, compute: Callable[[Array], Array]) -> Pair:
        """``compute`` is done in float32 on both sides, and rounded on one, as a kernel does it by itself."""
        return Pair(compute(self.half.astype(np.float32)).astype(np.float16), compute(self.exact))

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.half + other.half, self.exact + other.exact)

    def __mul__(self, other: Pair) -> Pair:
        return Pair(self.half * other.half, self.exact * other.exact)

    def __matmul__(self, other: Pair) -> Pair:
        total = np.zeros((*self.half.shape[:-1], other.half.shape[-1]), np.float16)
        for at in range(self.half.shape[-1]):
            column = self.half[..., at, None].astype(np.float32)
            total = (total + column * other.half[..., at, None, :].astype(np.float32)).astype(np.float16)
        return Pair(total, self.exact @ other.exact)


class Weights:
    """Matrices cut out of the same random numbers at random places: making new ones takes longer than multiplying."""

    def __init__(self, most: int) -> None:
        self._random = np.random.default_rng(0)
        self._values = self._random.standard_normal(most + (8 << 20), np.float32).astype(np.float16)

    def matrix(self, inputs: int, outputs: int) -> Pair:
        start = int(self._random.integers(self._values.size - inputs * outputs))
        half = self._values[start : start + inputs * outputs].reshape(inputs, outputs) * np.float16(inputs**-0.5)
        return Pair(half, half.astype(np.float32))

    def rows(self, width: int) -> Pair:
        half = self._random.standard_normal((ROWS, width)).astype(np.float16)
        return Pair(half, half.astype(np.float32))


def norm(x: Array) -> Array:
    normed: Array = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
    return normed


def silu(x: Array) -> Array:
    activated: Array = x / (1 + np.exp(-x))
    return activated


def weigh(scores: Array) -> Array:
    """Causal attention's weights."""
    seen = np.where(np.tri(scores.shape[-1], dtype=bool), scores * HEAD_DIM**-0.5, -6e4)
    weights = np.exp(seen - seen.max(-1, keepdims=True))
    share: Array = weights / weights.sum(-1, keepdims=True)
    return share


def layer(x: Pair, weights: Weights, mlp: int) -> Pair:
    """Without the rotary embedding, which adds nothing up."""
    width, normed = x.half.shape[-1], x.each(norm)
    query, key, value = (
        (normed @ weights.matrix(width, width)).each(lambda side: side.reshape(ROWS, -1, HEAD_DIM).swapaxes(0, 1))
        for _ in range(3)
    )
    scores = query @ key.each(lambda side: side.swapaxes(1, 2))
    attended = (scores.each(weigh) @ value).each(lambda side: side.swapaxes(0, 1).reshape(ROWS, width))
    x = x + attended @ weights.matrix(width, width)
    normed = x.each(norm)
    gate = (normed @ weights.matrix(width, mlp)).each(silu)
    return x + gate * (normed @ weights.matrix(width, mlp)) @ weights.matrix(mlp, width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("width", "mlp", "layers"):
        parser.add_argument(name, type=int)
    asked = parser.parse_args()
    weights = Weights(asked.width * asked.mlp)
    x, head = weights.rows(asked.width), weights.matrix(asked.width, KEPT)
    print(f"layers  error  gain    (a sum of {asked.width}: {of_sum(asked.width):.4f})")
    for count in range(1, asked.layers + 1):
        x = layer(x, weights, asked.mlp)
        if count & (count - 1) == 0 or count == asked.layers:
            logits = x.each(norm) @ head
            sides = logits.half, logits.exact
            print(f"{count:6d}  {relative_error(*sides):.4f} {gain(*sides):+.4f}", flush=True)


if __name__ == "__main__":
    main()
