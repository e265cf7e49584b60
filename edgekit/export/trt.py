"""The ``trt`` spelling: standard operators only, in the forms that TensorRT fuses, its weights as TensorRT takes them.

Networks are strongly typed: every operator computes in the dtype of its inputs. TensorRT 10.3 (JetPack 6.2) takes
opset 21, int4 as 2-D constants of which one axis is in blocks, and int8 per channel. ONNX Runtime's CPU provider runs
the very same graphs, which is how they are proven without a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import TensorProto

from edgekit.checkpoint.packed import PackedTensor, groups
from edgekit.checkpoint.spec import Activation, DecoderSpec
from edgekit.export import transposed
from edgekit.export.graph import Fill
from edgekit.export.spelling import Attention, Dtype, Norm, Spelling
from edgekit.export.stacked import StackedAttention, attend
from edgekit.export.weights import Stack, stack

_SIGMOID = {"quick_gelu": 1.702, "silu": 1.0}  # x · sigmoid(alpha x)


class TrtSpelling(Spelling):
    """MatMul over DequantizeLinear, attention by heads, norms and activations in their parts."""

    read_by = (10, 3)  # JetPack 6.2's
    _attention: StackedAttention | None = None  # the decoder's; a tower has one profile, and nothing to keep apart
    _one_token = False

    def linear(self, x: str, name: str, parts: Sequence[str] = ()) -> str:
        parts = parts or [name]
        weights = stack(self.tensors, [f"{part}.weight" for part in parts])
        bias = self.bias(name, parts)
        n, k = weights.shape
        widened = weights.storage == "int4" and n % 2 == 1
        if weights.storage == "plain":
            rows = self.stored(f"{name}.weight", weights)
            matrix = self.graph.op("Transpose", [rows], name=f"{name}.columns", attributes={"perm": [1, 0]})[0]
        elif weights.storage == "int8":
            matrix = self._matrix(name, weights, TensorProto.INT8, (k, n), (n,), transposed.int8, axis=1)
        else:
            x, matrix = self._int4(x, name, weights)
        product = f"{name}.matmul" if bias or widened else name
        self.graph.op("MatMul", [x, matrix], [product], name=product)
        if widened:
            bounds = self._integers(0), self._integers(n), self._integers(-1)
            (product,) = self.graph.op("Slice", [product, *bounds], name=f"{name}.narrowed" if bias else name)
        return self.add(product, bias, name) if bias else name

    def _int4(self, x: str, name: str, weights: Stack) -> tuple[str, str]:
        """``x`` and the matrix, both as long as whole blocks are; the matrix of an even width, as TensorRT wants it."""
        (n, k), group = weights.shape, weights.group
        count, width = groups(k, group), n + n % 2
        if missing := count * group - k:
            zero = self.graph.constant(f"zero.{self.activations}", np.array(0, self.activations))
            padding = self._integers(0, missing), zero, self._integers(-1)
            (x,) = self.graph.op("Pad", [x, *padding], name=f"{name}.padded")
        shapes = (count * group, width), (count, width)
        return x, self._matrix(
            name, weights, TensorProto.INT4, *shapes, transposed.int4, axis=0, block_size=group
        )  # fmt: skip

    def _matrix(
        self,
        name: str,
        weights: Stack,
        code: int,
        codes_shape: tuple[int, ...],
        scales_shape: tuple[int, ...],
        stream: Callable[[str, str, Mapping[str, PackedTensor], Dtype], Fill],
        **attributes: int,
    ) -> str:
        """A matrix ``[k, n]`` of codes and scales, multiplied out in the graph: engines keep it packed."""
        inputs = self.packed(name, weights, code, codes_shape, scales_shape, stream)
        return self.graph.op("DequantizeLinear", inputs, name=f"{name}.weight", attributes=attributes)[0]

    def norm(self, x: str, name: str, kind: Norm, eps: float) -> str:
        weight = self.parameter(f"{name}.weight")
        if kind == "rms":
            return self.rms_norm(x, weight, name, eps)
        inputs = [x, weight, self.parameter(f"{name}.bias")]
        return self.graph.op("LayerNormalization", inputs, name=name, attributes={"axis": -1, "epsilon": eps})[0]

    def add_norm(self, x: str, residual: str, name: str, kind: Norm, eps: float) -> tuple[str, str]:
        total = self.add(x, residual, f"{name}.residual")
        return self.norm(total, name, kind, eps), total

    def activate(self, x: str, kind: Activation, name: str) -> str:
        if kind not in _SIGMOID:
            approximate = "tanh" if kind == "gelu_tanh" else "none"
            return self.graph.op("Gelu", [x], name=name, attributes={"approximate": approximate})[0]
        inner = x
        if kind == "quick_gelu":
            alpha = self.graph.constant(f"alpha.{self.activations}", np.array(_SIGMOID[kind], self.activations))
            inner = self.graph.op("Mul", [x, alpha], name=f"{name}.scaled")[0]
        share = self.graph.op("Sigmoid", [inner], name=f"{name}.share")
        return self.graph.op("Mul", [x, *share], name=name)[0]

    def self_attention(self, qkv: str, heads: int, head_dim: int, name: str) -> str:
        parts = self.split(qkv, [heads * head_dim] * 3, f"{name}.split")
        query, key, value = (self._by_head(part, heads, head_dim) for part in parts)
        attended = attend(self.graph, query, key, value, "", head_dim, self.activations, f"{name}.attended")
        back = self.graph.op("Transpose", [attended], name=f"{name}.back", attributes={"perm": [0, 2, 1, 3]})
        return self.graph.op("Reshape", [*back, self._integers(0, -1, heads * head_dim)], name=name)[0]

    def _by_head(self, x: str, heads: int, head_dim: int) -> str:
        """``[images, tokens, heads · head_dim]`` → ``[images, heads, tokens, head_dim]``."""
        apart = self.graph.op("Reshape", [x, self._integers(0, -1, heads, head_dim)], name=f"{x}.apart")
        return self.graph.op("Transpose", apart, name=f"{x}.heads", attributes={"perm": [0, 2, 1, 3]})[0]

    def cached_attention(self, decoder: DecoderSpec, context: int) -> Attention:
        self._attention = StackedAttention(self.graph, self.activations, decoder, context)
        return self._attention

    def split(self, x: str, widths: Sequence[int], name: str) -> tuple[str, ...]:
        return super().split(self.apart(x, f"{name}.whole"), widths, name)

    def apart(self, x: str, name: str) -> str:
        return self._attention.kept_apart(x, name, axis=0 if self._one_token else 1) if self._attention else x

    def token(self, x: str, index: str, name: str) -> str:
        self._one_token = True
        return super().token(x, index, name)
