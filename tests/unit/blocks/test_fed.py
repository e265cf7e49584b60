"""Graphs whose weights are inputs: every tensor is asked for by one of them, and Linears are numpy's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from edgekit.blocks.fed import FedSpelling, fed_graph, kinds
from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import ModelSpec
from edgekit.export.graph import Graph
from edgekit.export.write import model
from edgekit.onnx_session import open_graph, options
from tests.unit.quantize.fakes import SPEC, Stored, normal

BIASED: Any = {"qkv_bias": True, "out_bias": True, "mlp_bias": True, "head_bias": True}
PHI = replace(
    SPEC,
    vision=replace(SPEC.vision, kind="siglip", drop_cls=False, post_norm=True),
    decoder=replace(SPEC.decoder, kind="phi", norm="layer", gated=False, parallel=True, **BIASED),
)


@pytest.mark.parametrize("spec", [SPEC, PHI], ids=["llama", "phi"])
def test_every_tensor_is_asked_for_by_one_kind_of_block_and_every_linear_is_tapped(spec: ModelSpec) -> None:
    tensors: dict[str, Weight] = {name: Stored(normal(*shape)) for name, shape in tensor_shapes(spec).items()}
    graphs = [fed_graph(kind, spec, tensors) for kind in kinds]
    fed = [name for graph in graphs for name in graph.weights]
    assert sorted(fed) == sorted(tensors.keys() - {"decoder.embedding.weight"})
    taps = {name: graph.taps[name] for graph in graphs for name in graph.taps}
    tables = ("vision.position.weight", "decoder.embedding.weight")
    matrices = {name for name, tensor in tensors.items() if len(tensor.shape) == 2 and name not in tables}
    assert taps.keys() == matrices
    readers = [name.rsplit(".", 2)[-2] for name in taps if taps[name] == taps["decoder.layers.0.attn.q.weight"]]
    assert sorted(readers) == (["k", "q", "v"] if spec is SPEC else ["k", "q", "up", "v"])


def test_linears_side_by_side_read_one_input_each_with_its_own_bias() -> None:
    tensors = {"a.q.weight": normal(5, 7), "a.k.weight": normal(3, 7, seed=1), "a.k.bias": normal(3, seed=2)}
    graph = Graph("linears")
    say = FedSpelling(graph, {name: Stored(array) for name, array in tensors.items()})
    y = say.linear(say.input("x", ["rows", 7]), "a.qk", ["a.q", "a.k"])
    graph.output(y, TensorProto.FLOAT, ["rows", 8])
    assert say.taps == {"a.q.weight": "x", "a.k.weight": "x"}
    x = np.random.default_rng(3).standard_normal((4, 7), dtype=np.float32)
    session = open_graph(model(graph, {}, "").SerializeToString(), "cpu", options(threads=1))
    for factor in (1, -3):  # other weights, the same session
        feeds = {name: factor * array.astype(np.float32) for name, array in tensors.items()}
        expected = [x @ feeds["a.q.weight"].T, x @ feeds["a.k.weight"].T + feeds["a.k.bias"]]
        np.testing.assert_allclose(session.run(None, {"x": x, **feeds})[0], np.hstack(expected), atol=1e-6)
