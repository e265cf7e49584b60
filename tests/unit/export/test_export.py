"""What export writes: sizes at full shape by arithmetic, the embedding table, and what it refuses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file

from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component, is_matrix
from edgekit.checkpoint.packed import Array, PackedTensor, PackedWeight, is_packed
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import Activation, DecoderSpec, ModelSpec, ProjectorSpec, RopeSpec, VisionSpec
from edgekit.errors import CheckpointError, ConfigError, EngineError
from edgekit.export import Activations, build_graphs, export
from edgekit.export.embedding import embedding
from edgekit.export.graph import MS
from edgekit.export.trt import TrtSpelling
from edgekit.quantize import quantize
from edgekit.recipe import Recipe
from tests.unit.quantize.fakes import SPEC, Stored, normal

LLAVA_MED = replace(
    SPEC,
    vision=VisionSpec(
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
    projector=ProjectorSpec((1024, 4096, 4096)),
    decoder=DecoderSpec(
        kind="mistral",
        hidden=4096,
        layers=32,
        heads=32,
        kv_heads=8,
        head_dim=128,
        ff=14336,
        vocab=32000,
        context=32768,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=RopeSpec(theta=1e6, dim=128),
    ),
)
TINY_LLAVA = replace(
    SPEC,
    vision=VisionSpec(
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
    projector=ProjectorSpec((1152, 2048, 2048)),
    decoder=DecoderSpec(
        kind="llama",
        hidden=2048,
        layers=22,
        heads=32,
        kv_heads=4,
        head_dim=64,
        ff=5632,
        vocab=32000,
        context=2048,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=RopeSpec(theta=1e4, dim=64),
    ),
)
Q4 = Recipe(name="q4", title="", vision="int8", projector="int8", embedding="int8", decoder="int4", lm_head="int4")
Q8 = Recipe(name="q8", title="", vision="int8", projector="int8", embedding="int8", decoder="int8", lm_head="int8")
FP16 = Recipe(name="fp16", title="", vision="fp16", projector="fp16", embedding="fp16", decoder="fp16", lm_head="fp16")


@dataclass(frozen=True)
class Shape:
    """A tensor of which only the shape is ever asked."""

    shape: tuple[int, ...]
    dtype = np.dtype(np.float16)

    def rows(self, start: int, stop: int) -> Array:
        raise AssertionError("sizes are arithmetic: nothing is read")

    def release(self, start: int, stop: int) -> None:
        raise AssertionError


def shapes_only(spec: ModelSpec) -> Checkpoint:
    return Checkpoint(Path(), spec, {name: Shape(shape) for name, shape in tensor_shapes(spec).items()}, "", 0)


def component_bytes(checkpoint: Checkpoint, activations: Activations) -> dict[str, int]:
    """Bytes of weights per component; rotary tables and other constants of the graph files are left out."""
    total: Counter[str] = Counter()
    graphs = build_graphs(checkpoint, activations, 2048)
    for graph in graphs.values():
        for weight in graph.weights.values():
            total[component(weight.name)] += weight.nbytes
    total["embedding"] = sum(weight.nbytes for weight in embedding(checkpoint, graphs["decoder"])[0])
    return dict(total)


@pytest.mark.parametrize(
    ("spec", "recipe", "expected"),
    [
        (LLAVA_MED, Q4, (292_835_328, 21_004_288, 131_136_000, 3_599_245_312, 67_584_000)),
        (LLAVA_MED, Q8, (292_835_328, 21_004_288, 131_136_000, 6_982_606_848, 131_136_000)),
        (TINY_LLAVA, Q4, (400_168_576, 6_569_984, 65_600_000, 499_765_248, 33_792_000)),
        (TINY_LLAVA, Q8, (400_168_576, 6_569_984, 65_600_000, 969_857_024, 65_600_000)),
    ],
    ids=["llava-med-q4", "llava-med-q8", "tinyllava-q4", "tinyllava-q8"],
)
def test_bytes_at_full_shape(spec: ModelSpec, recipe: Recipe, expected: tuple[int, ...]) -> None:
    names = ("vision", "projector", "embedding", "decoder", "lm_head")
    checkpoint = quantize(shapes_only(spec), recipe)
    assert component_bytes(checkpoint, "float16") == dict(zip(names, expected, strict=True))
    wide = component_bytes(checkpoint, "float32")
    scales = scale_bytes(checkpoint)
    for name, size in zip(names, expected, strict=True):
        assert wide[name] == pytest.approx(size + scales[name], rel=0.0025)  # and vectors in float32


def scale_bytes(checkpoint: Checkpoint) -> dict[str, int]:
    """By how much float32 scales are larger; the embedding's stay float16."""
    extra = dict.fromkeys(("vision", "projector", "embedding", "decoder", "lm_head"), 0)
    for name, tensor in checkpoint.tensors.items():
        if is_matrix(name) and not name.startswith("decoder.embedding."):
            n, k = tensor.shape
            extra[component(name)] += 2 * n * -(-k // getattr(tensor, "group", k))
    return extra


def test_bytes_of_an_unquantized_model_are_its_parameters() -> None:
    count = sum(int(np.prod(shape)) for shape in tensor_shapes(LLAVA_MED).values())
    sizes = component_bytes(quantize(shapes_only(LLAVA_MED), FP16), "float16")
    assert sum(sizes.values()) == 2 * count


def tensors_of(spec: ModelSpec) -> dict[str, Weight]:
    return {name: Stored(normal(*shape, scale=0.1)) for name, shape in tensor_shapes(spec).items()}


def checkpoint_of(**changes: Weight | None) -> Checkpoint:
    """A whole checkpoint of the small spec; None takes a tensor away ("__" stands for ".")."""
    tensors = tensors_of(SPEC)
    for key, weight in changes.items():
        name = key.replace("__", ".")
        if weight is None:
            del tensors[name]
        else:
            tensors[name] = weight
    return Checkpoint(Path("models/test"), SPEC, tensors, "", 0)


@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize("recipe", [Q4, Q8, FP16], ids=lambda recipe: recipe.name)
def test_every_graph_is_what_onnx_calls_valid(recipe: Recipe, activations: Activations, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    checkpoint = quantize(checkpoint_of(), recipe)
    export(checkpoint, activations, 64, tmp_path, progress=lambda *event: seen.append(event))
    names = {path.name for path in (tmp_path / "graphs").iterdir()}
    assert names == {f"{part}.onnx{end}" for part in ("vision", "projector", "decoder") for end in ("", ".data")}
    for part in ("vision", "projector", "decoder"):
        path = tmp_path / "graphs" / f"{part}.onnx"
        onnx.checker.check_model(str(path), full_check=True)
        assert path.stat().st_size < 200_000
    for stage in {stage for stage, _, _ in seen}:
        assert [done == total for name, done, total in seen if name == stage][-1]


def test_the_interface_of_the_graphs(tmp_path: Path) -> None:
    export(quantize(checkpoint_of(), FP16), "float16", 64, tmp_path)

    def interface(part: str) -> dict[str, tuple[int, list[Any]]]:
        graph = onnx.load(str(tmp_path / "graphs" / f"{part}.onnx"), load_external_data=False).graph
        return {
            value.name: (
                value.type.tensor_type.elem_type,
                [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim],
            )
            for value in [*graph.input, *graph.output]
        }

    half, single, int32 = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
    cache = (half, ["rows", 2, "capacity", 48])
    assert interface("vision") == {
        "pixels": (half, ["images", 3, 28, 28]),
        "features": (half, ["images", 16, 72]),
    }
    assert interface("projector") == {
        "features": (half, ["images", 16, 72]),
        "embeds": (half, ["images", 16, 96]),
    }
    assert interface("decoder") == {
        "inputs_embeds": (half, ["rows", "length", 96]),
        "logits_at": (onnx.TensorProto.INT64, []),
        "seqlens_k": (int32, ["rows"]),
        "total_sequence_length": (int32, []),
        "past.0.key": cache,
        "past.0.value": cache,
        "present.0.key": cache,
        "present.0.value": cache,
        "logits": (single, ["rows", 320]),
    }


def test_the_embedding_lies_beside_the_graphs(tmp_path: Path) -> None:
    checkpoint = checkpoint_of()
    table = checkpoint.tensors["decoder.embedding.weight"]
    assert isinstance(table, Stored)
    export(quantize(checkpoint, FP16), "float32", 64, tmp_path / "plain")
    plain = load_file(tmp_path / "plain" / "embedding.safetensors")
    assert np.array_equal(plain["weight"], table.array)
    export(quantize(checkpoint, Q4), "float32", 64, tmp_path / "packed")
    packed = load_file(tmp_path / "packed" / "embedding.safetensors")
    assert packed["codes"].dtype == np.int8
    assert packed["scales"].shape == (320, 1)
    values = PackedWeight(8, 96, 96, packed["codes"], packed["scales"]).dequantize()
    np.testing.assert_allclose(values, table.array, atol=float(packed["scales"].max()) / 2)


def test_what_is_wrong_with_a_checkpoint_is_said_by_name(tmp_path: Path) -> None:
    bad = normal(96, 96)
    bad[3, 3] = np.nan
    short = Stored(normal(96, 48))
    cases = [
        (checkpoint_of(decoder__layers__0__attn__k__weight=None), "no 'decoder.layers.0.attn.k.weight'"),
        (checkpoint_of(decoder__layers__0__attn__k__weight=short), "attn.k.weight.* are not stored alike"),
        (checkpoint_of(decoder__layers__0__attn__o__weight=Stored(bad)), "'decoder.layers.0.attn.o.weight' holds NaN"),
    ]
    for checkpoint, said in cases:
        with pytest.raises(CheckpointError, match=said):
            export(checkpoint, "float32", 64, tmp_path)


def test_a_context_beyond_the_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="A context of 513 tokens is longer than the model's 512"):
        export(checkpoint_of(), "float32", 513, tmp_path)


def test_an_embedding_in_int4_is_refused(tmp_path: Path) -> None:
    checkpoint = quantize(checkpoint_of(), replace(FP16, embedding="int4"))
    with pytest.raises(CheckpointError, match="packed in int4"):
        export(checkpoint, "float32", 64, tmp_path)


class Dead:
    """A packed weight as some tools leave it: a group whose scale is zero."""

    def __init__(self, whole: PackedTensor) -> None:
        self.shape, self.bits, self.group, self._whole = whole.shape, whole.bits, whole.group, whole

    def packed_rows(self, start: int, stop: int) -> PackedWeight:
        found = self._whole.packed_rows(start, stop)
        return replace(found, scales=np.zeros_like(found.scales))


class QuickGelu(TrtSpelling):
    """An operator of ONNX Runtime's own in a graph that is for TensorRT."""

    def activate(self, x: str, kind: Activation, name: str) -> str:
        return self.graph.op("QuickGelu", [x], name=name, domain=MS)[0]


def test_a_graph_that_tensorrt_would_refuse_is_not_exported(tmp_path: Path) -> None:
    packed = quantize(checkpoint_of(), Q4)
    name = "decoder.layers.0.attn.o.weight"
    weight = packed.tensors[name]
    assert is_packed(weight)
    dead = replace(packed, tensors={**packed.tensors, name: Dead(weight)})
    with pytest.raises(EngineError, match=r"decoder\.onnx is not for TensorRT 10\.3: .*attn\.o.* zero, negative"):
        export(dead, "float16", 64, tmp_path / "dead", spelling=TrtSpelling)
    with pytest.raises(EngineError, match=r"vision\.onnx is not for TensorRT 10\.3: .*QuickGelu is of the domain"):
        export(packed, "float16", 64, tmp_path / "foreign", spelling=QuickGelu)
    export(packed, "float16", 64, tmp_path / "sound", spelling=TrtSpelling)
