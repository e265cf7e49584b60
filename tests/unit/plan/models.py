"""Models of which only shapes are known: planning may read nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import DecoderSpec, ProjectorSpec, RopeSpec, VisionSpec
from tests.benchmarks.full_shape import MODELS, tensors
from tests.specs import SMALL


@dataclass(frozen=True)
class Shape:
    """A tensor without numbers."""

    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float16)

    def rows(self, start: int, stop: int) -> Array:
        raise AssertionError("a plan reads no weights")

    def release(self, start: int, stop: int) -> None:
        raise AssertionError("a plan reads no weights")


def checkpoint(vision: VisionSpec, decoder: DecoderSpec) -> Checkpoint:
    spec = replace(
        SMALL,
        family="published shapes",
        vision=vision,
        projector=ProjectorSpec((vision.hidden, decoder.hidden, decoder.hidden)),
        decoder=decoder,
        image=replace(SMALL.image, size=vision.image_size),
    )
    return Checkpoint(Path(), spec, {name: Shape(shape) for name, shape in tensor_shapes(spec).items()}, "", 0)


def llama(hidden: int, layers: int, kv_heads: int, head_dim: int, ff: int) -> DecoderSpec:
    rope = RopeSpec(theta=10000.0, dim=head_dim)
    return DecoderSpec(
        kind="llama",
        hidden=hidden,
        layers=layers,
        heads=32,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ff=ff,
        vocab=32000,
        context=4096,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=rope,
    )


LLAVA_MED = checkpoint(
    VisionSpec(
        kind="clip",
        hidden=1024,
        layers=23,
        heads=16,
        ff=4096,
        image_size=336,
        patch=14,
        activation="quick_gelu",
        norm_eps=1e-5,
        drop_cls=True,
    ),
    llama(4096, 32, 8, 128, 14336),
)
TINYLLAVA = checkpoint(
    VisionSpec(
        kind="siglip",
        hidden=1152,
        layers=26,
        heads=16,
        ff=4304,
        image_size=384,
        patch=14,
        activation="gelu_tanh",
        norm_eps=1e-6,
        drop_cls=False,
    ),
    llama(2048, 22, 4, 64, 5632),
)


def write_sparse(name: str, directory: Path) -> Path:
    """A published model's headers, and a last norm of ones: a sparse file of its true size, which takes no disk."""
    model = MODELS[name]
    header, end, norm = {}, 0, (0, 0)
    for tensor, shape in tensors(model):
        begin, end = end, end + 2 * math.prod(shape)
        norm = (begin, math.prod(shape)) if tensor == "model.norm.weight" else norm
        header[tensor] = {"dtype": "F16", "shape": shape, "data_offsets": (begin, end)}
    text = json.dumps(header).encode()
    with (directory / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
        file.seek(8 + len(text) + norm[0])
        file.write(b"\x00\x3c" * norm[1])  # all zeros, it would be a delta's
    words = {f"<{index}>": index for index in range(model.config["vocab_size"])}
    tokenizer = {"model": {"type": "BPE", "vocab": words, "merges": []}, "added_tokens": []}
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    (directory / "config.json").write_text(json.dumps({**model.config, "torch_dtype": "float16"}))
    return directory
