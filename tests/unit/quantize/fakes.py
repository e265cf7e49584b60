"""A tensor in memory that notes which of its rows were read and given back, and a checkpoint of such."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint, Weight
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import (
    DecoderSpec,
    ImageSpec,
    ModelSpec,
    ProjectorSpec,
    RopeSpec,
    TemplateSpec,
    VisionSpec,
)
from edgekit.recipe import Precision, Recipe

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = (np.dtype(np.float16), BFLOAT16, np.dtype(np.float32))

SPEC = ModelSpec(
    family="test",
    vision=VisionSpec(
        kind="clip",
        hidden=72,
        layers=1,
        heads=3,
        ff=100,
        image_size=28,
        patch=7,
        activation="quick_gelu",
        norm_eps=1e-5,
        drop_cls=True,
    ),
    projector=ProjectorSpec((72, 96)),
    decoder=DecoderSpec(
        kind="llama",
        hidden=96,
        layers=1,
        heads=2,
        kv_heads=2,
        head_dim=48,
        ff=200,
        vocab=320,
        context=512,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=RopeSpec(theta=10000.0, dim=48),
        tied=True,
    ),
    image=ImageSpec(size=28, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fit="pad"),
    template=TemplateSpec(name="plain", system="", user="{}", opening="", reply="{}"),
    bos_id=1,
    stop_ids=(2,),
)


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
