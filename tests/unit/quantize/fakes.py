"""A tensor in memory that notes which of its rows were read and given back, and a checkpoint of such."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.packed import Array
from edgekit.recipe import Precision, Recipe
from tests.specs import SMALL

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = (np.dtype(np.float16), BFLOAT16, np.dtype(np.float32))

SPEC = SMALL


@dataclass
class Stored:
    array: Array
    released: list[tuple[int, int]] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def rows(self, start: int, stop: int) -> Array:
        view = self.array[start:stop]
        view.flags.writeable = False  # as a mapped file's
        return view

    def release(self, start: int, stop: int) -> None:
        self.released.append((start, stop))


def normal(*shape: int, dtype: np.dtype[Any] = DTYPES[0], scale: float = 0.02, seed: int = 0) -> Array:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)


def checkpoint(**tensors: Weight) -> Checkpoint:
    """A checkpoint of the given tensors; "__" in a name stands for "."."""
    named = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    return Checkpoint(Path("models/test"), SPEC, named, '{"model": "ümlaut"}', 0)


def recipe(precision: Precision = "int4", **changes: Any) -> Recipe:
    parts = dict.fromkeys(("vision", "projector", "embedding", "decoder", "lm_head"), precision)
    return Recipe(**{"name": "test", "title": "Test", **parts, **changes})
