"""The ``trt`` spelling on ONNX Runtime's CPU provider against transformers, for every family.

In float16 logits may differ by 1e-2 of their largest: a residual of magnitude r is rounded to r · 2⁻¹¹ once a sublayer,
and these graphs keep it in float16 from end to end, as TensorRT will; weights are float16 in both.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import is_packed
from edgekit.export import Activations, export
from edgekit.export.trt import TrtSpelling
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.checkpoints import FAMILIES, DecoderKind, Layout, TowerKind, write_checkpoint
from tests.unit.export.running import session
from tests.unit.export.trt_running import TrtDecoder

LENGTHS = (9, 4, 6)
CAPACITY = 24
FLOAT, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
INT8, INT4 = onnx.TensorProto.INT8, onnx.TensorProto.INT4

Floats = npt.NDArray[np.float32]


def normal(*shape: int) -> Floats:
    return np.random.default_rng(sum(shape)).standard_normal(shape, dtype=np.float32)


def near(values: npt.NDArray[Any], expected: Floats, activations: Activations) -> None:
    tolerance = 3e-4 if activations == "float32" else 1e-2
    np.testing.assert_allclose(values.astype(np.float32), expected, rtol=0, atol=tolerance * np.abs(expected).max())


def spelled(checkpoint: Checkpoint, folder: Path, activations: Activations) -> Path:
    export(checkpoint, activations, 64, folder, spelling=TrtSpelling)
    return folder / "graphs"


@pytest.mark.parity
@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize(("layout", "decoder", "tower", "more"), FAMILIES, ids=lambda value: str(value)[:12])
def test_rows_of_different_length_are_read_and_go_on_together(
    layout: Layout,
    decoder: DecoderKind,
    tower: TowerKind,
    more: dict[str, Any],
    activations: Activations,
    tmp_path: Path,
) -> None:
    tiny = write_checkpoint(tmp_path / "c", layout, decoder, tower, **more)
    checkpoint = open_checkpoint(tiny.path)
    graphs = spelled(checkpoint, tmp_path / "out", activations)
    spec = checkpoint.spec.decoder
    together = TrtDecoder(graphs / "decoder.onnx", spec, len(LENGTHS), CAPACITY, activations)
    rows = [normal(length + 3, spec.hidden) for length in LENGTHS]
    expected = [tiny.logits(row[None])[0] for row in rows]
    for row, length in enumerate(LENGTHS):  # a prompt in two pieces, the second behind the first
        alone = TrtDecoder(graphs / "decoder.onnx", spec, 1, CAPACITY, activations)
        alone(rows[row][None, : length // 2])
        near(alone(rows[row][None, length // 2 : length])[0], expected[row][length - 1], activations)
        together.take(row, alone)
    for step in range(3):
        logits = together(np.stack([rows[row][length + step] for row, length in enumerate(LENGTHS)])[:, None])
        for row, length in enumerate(LENGTHS):
            near(logits[row], expected[row][length + step], activations)


@pytest.mark.parity
@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize(("layout", "decoder", "tower", "more"), FAMILIES[:2], ids=lambda value: str(value)[:12])
def test_towers_and_projectors(
    layout: Layout,
    decoder: DecoderKind,
    tower: TowerKind,
    more: dict[str, Any],
    activations: Activations,
    tmp_path: Path,
) -> None:
    tiny = write_checkpoint(tmp_path / "c", layout, decoder, tower, **more)
    graphs = spelled(open_checkpoint(tiny.path), tmp_path / "out", activations)
    pixels = normal(2, 3, 28, 28)
    (features,) = session(graphs / "vision.onnx").run(None, {"pixels": pixels.astype(activations)})
    (embeds,) = session(graphs / "projector.onnx").run(None, {"features": features})
    near(embeds, tiny.image_features(pixels), activations)


def multiplied_out(checkpoint: Checkpoint) -> Checkpoint:
    """The same numbers as plain float32 tensors."""

    class Plain:
        def __init__(self, values: Floats) -> None:
            self.values, self.shape, self.dtype = values, values.shape, values.dtype

        def rows(self, start: int, stop: int) -> Floats:
            return self.values[start:stop]

        def release(self, start: int, stop: int) -> None:
            pass

    tensors = {
        name: Plain(weight.packed_rows(0, weight.shape[0]).dequantize()) if is_packed(weight) else weight
        for name, weight in checkpoint.tensors.items()
    }
    return replace(checkpoint, tensors=tensors)


@pytest.mark.parametrize(("name", "text"), [("q4", {}), ("q4", {"vocab_size": 321}), ("q8", {})])
@pytest.mark.parametrize("decoder", ["llama", "phi"])
def test_int4_and_int8_are_what_their_codes_stand_for(
    name: str, text: dict[str, Any], decoder: DecoderKind, tmp_path: Path
) -> None:
    """Widths of 288 and 160 are no multiple of 128, and a vocabulary may be odd."""
    write_checkpoint(tmp_path / "c", "hf", decoder, text=text)
    packed = quantize(open_checkpoint(tmp_path / "c"), recipe(name))
    plain = multiplied_out(packed)
    spec, x = packed.spec.decoder, normal(2, 5, packed.spec.decoder.hidden)
    outputs = []
    for index, checkpoint in enumerate((packed, plain)):
        graphs = spelled(checkpoint, tmp_path / str(index), "float32")
        outputs.append(TrtDecoder(graphs / "decoder.onnx", spec, 2, CAPACITY)(x))
        pixels = normal(1, 3, 28, 28)
        (features,) = session(graphs / "vision.onnx").run(None, {"pixels": pixels})
        outputs.append(session(graphs / "projector.onnx").run(None, {"features": features})[0])
    for one, other in zip(outputs[:2], outputs[2:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max())


def test_graphs_are_of_standard_operators_alone(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c", "hf")
    graphs = spelled(quantize(open_checkpoint(tmp_path / "c"), recipe("q4")), tmp_path / "out", "float16")
    for name in ("vision", "projector", "decoder"):
        model = onnx.load(str(graphs / f"{name}.onnx"), load_external_data=False)
        assert {node.domain for node in model.graph.node} == {""}
        (opset,) = [entry.version for entry in model.opset_import if not entry.domain]
        assert opset == 21


@pytest.mark.parametrize(("decoder", "tower"), [("llama", "clip"), ("phi", "siglip")])
def test_softmax_and_rms_norms_sum_in_float32(decoder: DecoderKind, tower: TowerKind, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_checkpoint(tmp_path / "c", "hf", decoder, tower).path)
    graphs = spelled(checkpoint, tmp_path / "out", "float16")
    for name in ("vision", "decoder"):
        graph = onnx.load(graphs / f"{name}.onnx", load_external_data=False).graph
        wide = {node.output[0] for node in graph.node if node.op_type == "Cast" and node.attribute[0].i == FLOAT}
        softmaxes = [node for node in graph.node if node.op_type == "Softmax"]
        assert softmaxes
        assert all(node.input[0] in wide for node in softmaxes)
        squares = [node for node in graph.node if node.op_type in ("ReduceMean", "ReduceSum")]
        assert bool(squares) == ((name, decoder) == ("decoder", "llama"))


def read(path: Path) -> onnx.GraphProto:
    return onnx.load(path, load_external_data=False).graph


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}


@pytest.mark.parametrize(("decoder", "tower"), [("llama", "clip"), ("phi", "siglip")])
def test_layer_norms_sum_in_float32(decoder: DecoderKind, tower: TowerKind, tmp_path: Path) -> None:
    """By ``stash_type``, whose default is float32 as well; what they are given is float16."""
    checkpoint = open_checkpoint(write_checkpoint(tmp_path / "c", "hf", decoder, tower).path)
    graphs = spelled(checkpoint, tmp_path / "out", "float16")
    for name in ("vision", "decoder"):
        graph = read(graphs / f"{name}.onnx")
        norms = [node for node in graph.node if node.op_type == "LayerNormalization"]
        assert bool(norms) == ((name, decoder) != ("decoder", "llama"))
        assert {attributes(node).get("stash_type", FLOAT) for node in norms} <= {FLOAT}
        types = {tensor.name: tensor.data_type for tensor in graph.initializer}
        assert {types[weight] for node in norms for weight in node.input[1:]} <= {HALF}


@pytest.mark.parametrize("decoder", ["llama", "phi"])
@pytest.mark.parametrize("name", ["q4", "q8"])
def test_matrices_stay_packed_until_they_are_multiplied(name: str, decoder: DecoderKind, tmp_path: Path) -> None:
    """int4 ``[k, n]`` in blocks of 128 along k, int8 with a scale per column: what TensorRT multiplies as codes."""
    write_checkpoint(tmp_path / "c", "hf", decoder)
    checkpoint = quantize(open_checkpoint(tmp_path / "c"), recipe(name))
    graphs = spelled(checkpoint, tmp_path / "out", "float16")
    for part in ("vision", "projector", "decoder"):
        graph = read(graphs / f"{part}.onnx")
        tensors = {tensor.name: tensor for tensor in graph.initializer}
        makers = {node.output[0]: node for node in graph.node}
        products = [node for node in graph.node if node.op_type == "MatMul" and ".attended" not in node.name]
        assert products
        for product in products:
            weight = makers[product.input[1]]
            assert weight.op_type == "DequantizeLinear"
            codes, scales = (tensors[given] for given in weight.input)
            assert scales.data_type == HALF
            k, n = codes.dims
            if (part, name) == ("decoder", "q4"):
                assert codes.data_type == INT4
                assert attributes(weight) == {"axis": 0, "block_size": 128}
                assert list(scales.dims) == [k / 128, n]
            else:
                assert codes.data_type == INT8
                assert attributes(weight) == {"axis": 1}
                assert list(scales.dims) == [n]
    head, spec = tensors["decoder.lm_head.weight.codes"], checkpoint.spec.decoder
    assert list(head.dims) == [-(-spec.hidden // 128) * 128 if name == "q4" else spec.hidden, spec.vocab]
