"""The words in which the model's parts are described, and what says how each becomes operators.

:mod:`~edgekit.export.vision`, :mod:`~edgekit.export.projector` and :mod:`~edgekit.export.decoder` use
these words and no operator's name. A spelling is a subclass per runtime: it knows the operators that the
runtime is fast at, its activation dtype (scales are written in it), and the inputs by which a decoder's
cache comes and goes. The words that every runtime spells alike, in standard operators, are defined here.

``x`` and every result are names of tensors in the graph; ``name`` is the layer's name in the checkpoint
and becomes the node's. Shapes are ``[images or rows, tokens, width]`` unless a word says otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, Protocol, TypeAlias

import numpy as np
from onnx import helper

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import PackedTensor
from edgekit.checkpoint.spec import Activation, DecoderSpec
from edgekit.export import streams
from edgekit.export.graph import Fill, Graph, Initializer
from edgekit.export.weights import Stack, stack

Norm = Literal["rms", "layer"]
Dtype: TypeAlias = np.dtype[np.floating]


class Attention(Protocol):
    """Causal self-attention of one decoder layer over its cache."""

    def __call__(self, qkv: str, name: str, layer: int) -> str:
        """``qkv`` ``[rows, length, (heads + 2 kv_heads) head_dim]`` → ``[rows, length, heads head_dim]``."""
        ...


class Spelling(ABC):
    """One graph under construction, the tensors that it may use, and the dtype that it computes in.

    ``rows_of_int8``: int8 matrices lie in the graph row below row, as code + 128: an embedding can read a head's.
    ``read_by``: the oldest TensorRT that is to read the graphs, (10, 3); None where none does.
    """

    rows_of_int8 = False
    read_by: ClassVar[tuple[int, int] | None] = None

    def __init__(self, graph: Graph, tensors: Mapping[str, Weight], activations: Dtype) -> None:
        self.graph = graph
        self.tensors = tensors
        self.activations = activations

    @abstractmethod
    def linear(self, x: str, name: str, parts: Sequence[str] = ()) -> str:
        """Write x Wᵀ + b: the layer ``name``, or the layers ``parts`` side by side under that name."""

    @abstractmethod
    def norm(self, x: str, name: str, kind: Norm, eps: float) -> str:
        """Write RMSNorm or LayerNorm over the last axis."""

    @abstractmethod
    def add_norm(self, x: str, residual: str, name: str, kind: Norm, eps: float) -> tuple[str, str]:
        """Write ``norm(x + residual)``, and return the sum as well: the seam between two blocks of a transformer."""

    @abstractmethod
    def activate(self, x: str, kind: Activation, name: str) -> str:
        """Write an activation, element by element."""

    @abstractmethod
    def self_attention(self, qkv: str, heads: int, head_dim: int, name: str) -> str:
        """Write attention without mask or cache: ``[images, tokens, 3 heads head_dim]`` → a third as wide."""

    @abstractmethod
    def cached_attention(self, decoder: DecoderSpec, context: int) -> Attention:
        """Declare the decoder's cache of ``context`` tokens and rotary tables; returns what attends over it."""

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare an input of the graph, in the activations' dtype."""
        return self.graph.input(name, self._code(self.activations), shape)

    def output(self, x: str, name: str, shape: Sequence[int | str], dtype: Dtype | None = None) -> None:
        """Make ``x`` an output of the graph, converted to ``dtype`` (else the activations')."""
        wanted = dtype or self.activations
        if wanted == self.activations:
            self.graph.op("Identity", [x], [name], name=name)
        else:
            self.graph.op("Cast", [x], [name], name=name, attributes={"to": self._code(wanted)})
        self.graph.output(name, self._code(wanted), shape)

    def parameter(self, name: str, parts: Sequence[str] = ()) -> str:
        """Declare a plain tensor in the activations' dtype, or several stacked by rows."""
        return self.stored(name, stack(self.tensors, parts or [name]))

    def bias(self, name: str, parts: Sequence[str]) -> str:
        """Declare the bias of the layers ``parts``, or "" where they have none."""
        names = [f"{part}.bias" for part in parts]
        if not any(bias in self.tensors for bias in names):
            return ""
        return self.parameter(f"{name}.bias", names)

    def stored(self, name: str, tensors: Stack) -> str:
        """Declare plain tensors as the graph keeps them: vectors in the activations' dtype, the rest in float16
        where it came from 16 bits (a runtime converts once, as it loads)."""
        vector = len(tensors.shape) == 1
        dtype = self.activations if vector else tensors.dtype(self.activations)
        self.graph.weight(
            [Initializer(name, self._code(dtype), tensors.shape)],
            streams.plain(name, tensors.plain, dtype),
            tensors.read_bytes,
        )
        if dtype == self.activations:
            return name
        cast = self.graph.op("Cast", [name], name=f"{name}.cast", attributes={"to": self._code(self.activations)})
        return cast[0]

    def rms_norm(self, x: str, weight: str, name: str, eps: float) -> str:
        """Write RMSNorm in float32, in standard operators, which opset 21 has no single one for; runtimes fuse them."""
        op, to = self.graph.op, self._code(FLOAT32)
        wide = op("Cast", [x], name=f"{name}.wide", attributes={"to": to})[0]
        square = op("Mul", [wide, wide], name=f"{name}.square")[0]
        mean = op("ReduceMean", [square, self._integers(-1)], name=f"{name}.mean")[0]
        floor = self.graph.constant(f"{name}.eps", np.array(eps, np.float32))
        root = op("Sqrt", op("Add", [mean, floor], name=f"{name}.floor"), name=f"{name}.root")[0]
        unit = op("Div", [wide, root], name=f"{name}.unit")[0]
        narrow = op("Cast", [unit], name=f"{name}.narrow", attributes={"to": self._code(self.activations)})[0]
        return op("Mul", [narrow, weight], name=name)[0]

    def packed(
        self,
        name: str,
        weights: Stack,
        code: int,
        codes_shape: tuple[int, ...],
        scales_shape: tuple[int, ...],
        stream: Callable[[str, str, Mapping[str, PackedTensor], Dtype], Fill],
    ) -> tuple[str, str]:
        """Declare codes and scales; scales have the activations' dtype, as the operators want."""
        codes, scales = f"{name}.weight.codes", f"{name}.weight.scales"
        self.graph.weight(
            [Initializer(codes, code, codes_shape), Initializer(scales, self._code(self.activations), scales_shape)],
            stream(codes, scales, weights.packed, self.activations),
            weights.read_bytes,
        )
        return codes, scales

    def add(self, x: str, y: str, name: str) -> str:
        """Write x + y, with the usual broadcasting."""
        return self.graph.op("Add", [x, y], name=name)[0]

    def gate(self, x: str, kind: Activation, width: int, name: str) -> str:
        """Write activation(first ``width`` columns) · the other ``width`` columns."""
        gate, up = self.split(x, [width, width], f"{name}.split")
        return self.graph.op("Mul", [self.activate(gate, kind, f"{name}.act"), up], name=name)[0]

    def split(self, x: str, widths: Sequence[int], name: str) -> tuple[str, ...]:
        """Split x into columns, ``widths`` wide."""
        return self.graph.op("Split", [x, self._integers(*widths)], len(widths), name=name, attributes={"axis": -1})

    def apart(self, x: str, name: str) -> str:
        """Keep ``x`` as it is, where an engine would join what comes before with what comes after, and pay in
        memory."""
        return x

    def token(self, x: str, index: str, name: str) -> str:
        """Take one token of each row, by a scalar index: ``[rows, tokens, width]`` → ``[rows, width]``."""
        return self.graph.op("Gather", [x, index], name=name, attributes={"axis": 1})[0]

    def drop_first(self, x: str, name: str) -> str:
        """Drop the first token, and keep all others."""
        start, end, axis = self._integers(1), self._integers(np.iinfo(np.int64).max), self._integers(1)
        return self.graph.op("Slice", [x, start, end, axis], name=name)[0]

    def patches(self, pixels: str, name: str, hidden: int, patch: int) -> str:
        """Cut ``[images, 3, size, size]`` into squares and project each: ``[images, patches, hidden]``.

        What is left over at the right and lower edges (384 = 27 · 14 + 6) is not seen.
        """
        inputs = [pixels, self.parameter(f"{name}.weight")]
        if bias := self.bias(name, [name]):
            inputs.append(bias)
        square = [patch, patch]
        image = self.graph.op("Conv", inputs, name=name, attributes={"kernel_shape": square, "strides": square})
        columns = self.graph.op("Reshape", [*image, self._integers(0, hidden, -1)], name=f"{name}.columns")
        return self.graph.op("Transpose", columns, name=f"{name}.rows", attributes={"perm": [0, 2, 1]})[0]

    def prepend(self, x: str, name: str, hidden: int) -> str:
        """Put the learned vector ``name`` as one more token before the others of every image."""
        token = self.graph.op("Reshape", [self.parameter(name), self._integers(1, 1, hidden)], name=f"{name}.token")
        images = self.graph.op("Shape", [x], name=f"{name}.images", attributes={"start": 0, "end": 1})
        shape = self.graph.op("Concat", [*images, self._integers(1, 1)], name=f"{name}.shape", attributes={"axis": 0})
        tokens = self.graph.op("Expand", [*token, *shape], name=f"{name}.tokens")
        return self.graph.op("Concat", [*tokens, x], name=f"{name}.concat", attributes={"axis": 1})[0]

    def _integers(self, *values: int) -> str:
        """A constant int64 vector, shared by all who ask for the same."""
        return self.graph.constant("int64." + ".".join(map(str, values)), np.array(values, np.int64))

    @staticmethod
    def _code(dtype: Dtype) -> int:
        return int(helper.np_dtype_to_tensor_dtype(dtype))


FLOAT32, FLOAT16 = np.dtype(np.float32), np.dtype(np.float16)
