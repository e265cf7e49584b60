"""Plans for SM86 of every family at its true widths, two layers deep: what fuses at tiny widths tells nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import DecoderSpec, ModelSpec, ProjectorSpec, RopeSpec, VisionSpec
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.plan import BuiltPlan, build_plan
from edgekit.engines.tensorrt.shapes import profiles
from edgekit.export.export import export
from edgekit.export.trt import TrtSpelling
from edgekit.plan import plan as planned_memory
from edgekit.quantize import quantize
from edgekit.recipe import Recipe
from edgekit.target import target
from tests.unit.quantize.fakes import SPEC

pytestmark = pytest.mark.system
pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX is not installed", exc_type=ImportError)

LAYERS, VOCAB, CONTEXT, SLOTS = 2, 4096, 2048, 4
CLIP = VisionSpec(
    kind="clip",
    hidden=1024,
    layers=LAYERS,
    heads=16,
    ff=4096,
    image_size=336,
    patch=14,
    activation="quick_gelu",
    norm_eps=1e-5,
    drop_cls=True,
)
SIGLIP = VisionSpec(
    kind="siglip",
    hidden=1152,
    layers=LAYERS,
    heads=16,
    ff=4304,
    image_size=384,
    patch=14,
    activation="gelu_tanh",
    norm_eps=1e-6,
    drop_cls=False,
)


def decoder(kind: Any, hidden: int, heads: int, kv_heads: int, head_dim: int, ff: int, **more: Any) -> DecoderSpec:
    rope = RopeSpec(theta=1e4, dim=more.pop("rope", head_dim))
    norm: Any = "layer" if kind == "phi" else "rms"
    return DecoderSpec(
        kind=kind, hidden=hidden, layers=LAYERS, heads=heads, kv_heads=kv_heads, head_dim=head_dim,
        ff=ff, vocab=VOCAB, context=CONTEXT, norm=norm, norm_eps=1e-5,
        activation=more.pop("activation", "silu"), gated=more.pop("gated", True), rope=rope, **more,
    )  # fmt: skip


FAMILIES = {
    "LLaVA-Med, Mistral-7B": (CLIP, decoder("mistral", 4096, 32, 8, 128, 14336)),
    "LLaVA-1.5, Vicuna-7B": (CLIP, decoder("llama", 4096, 32, 32, 128, 11008)),
    "TinyLLaVA-1.5B, TinyLlama": (SIGLIP, decoder("llama", 2048, 32, 4, 64, 5632)),
    "TinyLLaVA-3.1B, Phi-2": (
        SIGLIP,
        decoder(
            "phi", 2560, 32, 32, 80, 10240, rope=32, activation="gelu_tanh", gated=False, parallel=True,
            qkv_bias=True, out_bias=True, mlp_bias=True, head_bias=True,
        ),
    ),
}  # fmt: skip
RECIPES = {
    "fp16": (
        Recipe(
            name="fp16", title="", vision="fp16", projector="fp16", embedding="fp16", decoder="fp16", lm_head="fp16"
        ),
        2.1,
    ),
    "q8": (
        Recipe(name="q8", title="", vision="int8", projector="int8", embedding="int8", decoder="int8", lm_head="int8"),
        1.2,
    ),
    "q4": (
        Recipe(name="q4", title="", vision="int8", projector="int8", embedding="int8", decoder="int4", lm_head="int4"),
        0.58,
    ),
}


@dataclass(frozen=True)
class Noise:
    """A tensor of random numbers, made as it is read; no other is like it, as TensorRT keeps equal ones once."""

    seed: int
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float16)

    def rows(self, start: int, stop: int) -> Array:
        rng = np.random.default_rng((self.seed, start))
        made: Array = rng.integers(-99, 99, (stop - start, *self.shape[1:]), np.int8) * np.float16(1e-3)
        return made

    def release(self, start: int, stop: int) -> None:
        pass


def checkpoint_of(spec: ModelSpec) -> Checkpoint:
    noise: dict[str, Any] = {name: Noise(at, shape) for at, (name, shape) in enumerate(tensor_shapes(spec).items())}
    return Checkpoint(Path(), spec, noise, "", 0)


def built(spec: ModelSpec, recipe: Recipe, folder: Path) -> dict[str, BuiltPlan]:
    export(quantize(checkpoint_of(spec), recipe), "float16", CONTEXT, folder, spelling=TrtSpelling)
    how = Options("tensorrt_rtx", "8.6")
    return {
        name: build_plan(folder / "graphs" / f"{name}.onnx", folder / f"{name}.plan", shapes, how)
        for name, shapes in profiles(spec, SLOTS, CONTEXT).items()
    }


def spec_of(family: str, layers: int = LAYERS) -> ModelSpec:
    vision, decoder = FAMILIES[family]
    image = replace(SPEC.image, size=vision.image_size)
    projector = ProjectorSpec((vision.hidden, decoder.hidden, decoder.hidden))
    return replace(SPEC, vision=vision, projector=projector, decoder=replace(decoder, layers=layers), image=image)


@pytest.mark.parametrize("precision", RECIPES)
def test_both_profiles_share_their_weights_and_take_the_scratch_that_was_planned(
    precision: str, tmp_path: Path
) -> None:
    spec, recipe = spec_of("TinyLLaVA-1.5B, TinyLlama", 6), RECIPES[precision][0]
    plan = built(spec, recipe, tmp_path)["decoder"]
    data = (tmp_path / "graphs/decoder.onnx.data").stat().st_size
    assert plan.weight_bytes is not None
    assert plan.weight_bytes < 1.02 * data
    assert plan.activation_bytes[1] < 20e6  # nothing of a matrix is written out for a step
    card = replace(target("rtx3050"), slots=SLOTS, context=CONTEXT)
    planned = planned_memory(checkpoint_of(spec), card, recipe).components["decoder_activations"]
    assert max(plan.activation_bytes) <= planned < 2 * max(plan.activation_bytes)


@pytest.mark.parametrize("precision", RECIPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_fused_and_weights_stay_narrow(family: str, precision: str, tmp_path: Path) -> None:
    spec = spec_of(family)
    recipe, most = RECIPES[precision]
    plans = built(spec, recipe, tmp_path)
    assert plans["vision"].fused == (LAYERS,)
    assert plans["decoder"].fused == (LAYERS, LAYERS)
    # A step multiplies by codes as it reads them: a kernel that does nothing but cast and scale has a whole matrix out.
    assert not [layer for layer in plans["decoder"].layers if re.search(r"_myl_(Repl)?CastMulCast(Resh)?_myl1_", layer)]
    shapes = tensor_shapes(spec)
    weights = sum(
        int(np.prod(shape)) for name, shape in shapes.items()
        if name.startswith("decoder.") and not name.startswith("decoder.embedding")
    )  # fmt: skip
    assert plans["decoder"].bytes / weights <= most
