"""Graphs of single blocks whose weights are inputs: one graph serves all layers of a kind, and any weights.

So a layer is run with its own weights, with rounded ones, or with scaled ones, and nothing is written or loaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onnx import TensorProto

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.spec import DecoderSpec, ModelSpec
from edgekit.export import decoder as decoders
from edgekit.export import vision as towers
from edgekit.export.attention import GroupQueryAttention
from edgekit.export.graph import MS, Graph
from edgekit.export.ort import OrtSpelling
from edgekit.export.projector import build_projector
from edgekit.export.spelling import FLOAT32, Attention, Spelling
from edgekit.export.weights import Stack
from edgekit.export.write import model


class FedSpelling(OrtSpelling):
    """The ``ort`` spelling in float32 with every weight an input. ``taps``: what each Linear reads, by its name."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Weight]) -> None:
        super().__init__(graph, tensors, FLOAT32)
        self.taps: dict[str, str] = {}
        self.fed: list[str] = []

    def linear(self, x: str, name: str, parts: Sequence[str] = ()) -> str:
        products = []
        for part in parts or [name]:
            self.taps[f"{part}.weight"] = x
            product = f"{part}.product"
            self.graph.op(
                "FusedMatMul", [x, self._feed(f"{part}.weight")], [product], name=product, domain=MS,
                attributes={"transB": 1},
            )  # fmt: skip
            biased = f"{part}.bias" in self.tensors
            products.append(self.add(product, self._feed(f"{part}.bias"), f"{part}.sum") if biased else product)
        if len(products) == 1:
            return products[0]
        return self.graph.op("Concat", products, name=name, attributes={"axis": -1})[0]

    def stored(self, name: str, tensors: Stack) -> str:
        return self._feed(name)

    def cached_attention(self, decoder: DecoderSpec, context: int) -> Attention:
        """Attend in float32, whatever cache the checkpoint has scales for."""
        return GroupQueryAttention(self.graph, FLOAT32, decoder, context, {})

    def _feed(self, name: str) -> str:
        self.fed.append(name)
        return self.graph.input(name, TensorProto.FLOAT, self.tensors[name].shape)


@dataclass(frozen=True)
class FedGraph:
    """``model``: its ONNX. ``inputs`` and ``outputs`` but for weights and taps; ``weights``: the names of those.

    ``taps``: for each Linear's weight, the output that is what it reads, float32 ``[…, in]``.
    """

    model: bytes
    inputs: tuple[str, ...]
    output: str
    weights: tuple[str, ...]
    taps: Mapping[str, str]


def fed_graph(kind: str, spec: ModelSpec, tensors: Mapping[str, Weight]) -> FedGraph:
    """Build a block's graph: "embed", "tower" (a layer), "features", "projector", "decoder" (a layer) or "head"."""
    graph = Graph(kind)
    say = FedSpelling(graph, tensors)
    kinds[kind](say, spec)
    weights = tuple(say.fed)
    inputs = tuple(entry.name for entry in graph.inputs if entry.name not in weights)
    (output, *_) = [entry.name for entry in graph.outputs]
    width = {name: tensors[name].shape[1] for name in say.taps}
    for name, tap in say.taps.items():
        if tap not in inputs and all(tap != entry.name for entry in graph.outputs):
            graph.output(tap, TensorProto.FLOAT, [f"{tap}.rows", f"{tap}.length", width[name]])
    return FedGraph(model(graph, {}, "").SerializeToString(), inputs, output, weights, dict(say.taps))


def _embed(say: Spelling, spec: ModelSpec) -> None:
    say.output(towers.embed(say, spec.vision), "out", ["images", "tokens", spec.vision.hidden])


def _tower(say: Spelling, spec: ModelSpec) -> None:
    x = say.input("x", ["images", "tokens", spec.vision.hidden])
    normed = say.norm(x, "vision.layers.0.norm1", "layer", spec.vision.norm_eps)
    added, residual = towers.layer(say, normed, x, 0, spec.vision)
    say.output(say.add(added, residual, "sum"), "out", ["images", "tokens", spec.vision.hidden])


def _features(say: Spelling, spec: ModelSpec) -> None:
    towers.finish(say, say.input("x", ["images", "tokens", spec.vision.hidden]), spec.vision)


def _projector(say: Spelling, spec: ModelSpec) -> None:
    build_projector(say, spec.projector, spec.vision.tokens)


def _decoder(say: Spelling, spec: ModelSpec) -> None:
    decoder = spec.decoder
    x = say.input("x", ["rows", "length", decoder.hidden])
    attention = say.cached_attention(decoder, decoder.context)
    normed = say.norm(x, "decoder.layers.0.norm1", decoder.norm, decoder.norm_eps)
    added, residual = decoders.layer(say, normed, x, 0, decoder, attention)
    out = say.add(added, residual, "sum")
    say.output(out, "out", ["rows", "length", decoder.hidden])
    say.graph.outputs.insert(0, say.graph.outputs.pop())  # before the cache's


def _head(say: Spelling, spec: ModelSpec) -> None:
    decoder = spec.decoder
    x = say.input("x", ["rows", "length", decoder.hidden])
    normed = say.norm(x, "decoder.norm", decoder.norm, decoder.norm_eps)
    say.output(say.linear(normed, "decoder.lm_head"), "out", ["rows", "length", decoder.vocab])


kinds: dict[str, Callable[[Spelling, ModelSpec], None]] = {
    "embed": _embed,
    "tower": _tower,
    "features": _features,
    "projector": _projector,
    "decoder": _decoder,
    "head": _head,
}
