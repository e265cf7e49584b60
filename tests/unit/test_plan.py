"""Plans against published arithmetic, against what an engine allocates, and against a device that is too small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import (
    DecoderSpec,
    ImageSpec,
    ModelSpec,
    ProjectorSpec,
    RopeSpec,
    TemplateSpec,
    VisionSpec,
)
from edgekit.engines.arena import ArenaShape
from edgekit.errors import GateRefused
from edgekit.plan import arena_bytes, arena_rows, plan, require_fit, weight_bytes
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB


@dataclass(frozen=True)
class Shape:
    """A tensor of which only the shape is known: planning may read nothing else."""

    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float16)

    def rows(self, start: int, stop: int) -> Array:
        raise AssertionError("a plan reads no weights")

    def release(self, start: int, stop: int) -> None:
        raise AssertionError("a plan reads no weights")


def checkpoint(vision: VisionSpec, decoder: DecoderSpec) -> Checkpoint:
    spec = ModelSpec(
        family="published shapes",
        vision=vision,
        projector=ProjectorSpec((vision.hidden, decoder.hidden, decoder.hidden)),
        decoder=decoder,
        image=ImageSpec(vision.image_size, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "pad"),
        template=TemplateSpec("plain", "", "{}", "", "{}"),
        bos_id=1,
        stop_ids=(2,),
    )
    return Checkpoint(Path(), spec, {name: Shape(shape) for name, shape in tensor_shapes(spec).items()}, "", 0)


def llama(hidden: int, layers: int, kv_heads: int, head_dim: int, ff: int) -> DecoderSpec:
    rope = RopeSpec(10000.0, head_dim)
    return DecoderSpec(
        "llama", hidden, layers, 32, kv_heads, head_dim, ff, 32000, 4096, "rms", 1e-5, "silu", True, rope
    )


LLAVA_MED = checkpoint(
    VisionSpec("clip", 1024, 23, 16, 4096, 336, 14, "quick_gelu", 1e-5, True), llama(4096, 32, 8, 128, 14336)
)
TINYLLAVA = checkpoint(
    VisionSpec("siglip", 1152, 26, 16, 4304, 384, 14, "gelu_tanh", 1e-6, False), llama(2048, 22, 4, 64, 5632)
)


@pytest.mark.parametrize(
    ("model", "name", "published"),
    [
        (LLAVA_MED, "q4", 4_111_804_928),
        (LLAVA_MED, "q8", 7_558_718_464),
        (TINYLLAVA, "q4", 1_005_895_808),
        (TINYLLAVA, "q8", 1_507_795_584),
    ],
)
def test_weights_are_the_published_arithmetic_to_the_byte(model: Checkpoint, name: str, published: int) -> None:
    assert sum(weight_bytes(model, recipe(name), activation_bytes=2).values()) == published


def test_the_cache_of_a_token_is_the_published_one() -> None:
    """LLaVA-Med keeps 131,072 bytes for a token in fp16, TinyLLaVA 22,528."""
    assert arena_bytes(LLAVA_MED.spec.decoder, 1, 1, "float16") == 131_072
    assert arena_bytes(TINYLLAVA.spec.decoder, 1, 1, "float16") == 22_528


@pytest.mark.parametrize(("slots", "rows"), [(1, 1), (2, 2), (3, 4), (8, 8)])
def test_the_arena_is_planned_as_it_is_allocated(slots: int, rows: int) -> None:
    decoder = TINYLLAVA.spec.decoder
    assert arena_rows(slots) == rows
    allocated = ArenaShape.of(decoder, arena_rows(slots), 300, "float32").nbytes
    assert arena_bytes(decoder, slots, 300, "float32") == allocated


def test_a_small_card_holds_the_4_bit_model_and_not_the_16_bit_one() -> None:
    card = target("rtx3050")
    require_fit(plan(LLAVA_MED, card, recipe("q4")), card)
    with pytest.raises(GateRefused, match="too much") as refused:
        require_fit(plan(LLAVA_MED, card, recipe("fp16")), card)
    assert "q4" in refused.value.hint


def test_a_processor_has_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgekit import plan as module
    from edgekit.detect import Machine, detect

    small: Machine = replace(detect(), memory_bytes=4 * GIB)
    monkeypatch.setattr(module, "detect", lambda: small)
    cpu = target("cpu")
    assert plan(TINYLLAVA, cpu, recipe("q4")).fits
    assert plan(TINYLLAVA, cpu, recipe("q4")).available_bytes == 4 * GIB - cpu.reserved_bytes
    assert not plan(LLAVA_MED, cpu, recipe("q4")).fits
