"""The ``ort`` spelling: ONNX Runtime's fused operators, fastest on its CPU and CUDA providers.

What was measured for each word (two cores with AVX512-VNNI) stands at the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from onnx import TensorProto

from edgekit.checkpoint.packed import Tensor, int8_block
from edgekit.checkpoint.shapes import range_of
from edgekit.checkpoint.spec import Activation, DecoderSpec
from edgekit.export import streams
from edgekit.export.attention import GroupQueryAttention
from edgekit.export.graph import MS
from edgekit.export.spelling import FLOAT32, Attention, Norm, Spelling
from edgekit.export.weights import Stack, stack
from edgekit.onnx_session import ZERO_POINT

_QUICK_GELU = {"quick_gelu": 1.702, "silu": 1.0}  # x · sigmoid(alpha x)


class OrtSpelling(Spelling):
    """MatMulNBits, GroupQueryAttention over a shared buffer, SkipLayerNormalization, …"""

    rows_of_int8 = True  # of the decoder's

    def linear(self, x: str, name: str, parts: Sequence[str] = ()) -> str:
        parts = parts or [name]
        weights = stack(self.tensors, [f"{part}.weight" for part in parts])
        bias = self.bias(name, parts)
        if weights.storage == "plain":
            return self._plain(x, name, weights, bias)
        if weights.storage == "int4":
            return self._int4(x, name, weights, bias)
        if self.activations == FLOAT32 and not name.startswith("decoder."):
            if (input_range := range_of(f"{parts[0]}.weight")) in self.tensors:
                return self._int8_static(x, name, weights, bias, input_range)
            return self._int8_dynamic(x, name, weights, bias)
        return self._int8(x, name, weights, bias)

    def _plain(self, x: str, name: str, weights: Stack, bias: str) -> str:
        """FusedMatMul takes the matrix as the checkpoint has it; as fast as a transposed MatMul."""
        matrix = self.stored(f"{name}.weight", weights)
        product = f"{name}.matmul" if bias else name
        self.graph.op("FusedMatMul", [x, matrix], [product], name=product, domain=MS, attributes={"transB": 1})
        return self.add(product, bias, name) if bias else name

    def _int4(self, x: str, name: str, weights: Stack, bias: str) -> str:
        (n, k), group = weights.shape, weights.group
        blocks = -(-k // group)
        shapes = (n, blocks, group // 2), (n, blocks)
        codes, scales = self.packed(name, weights, TensorProto.UINT8, *shapes, streams.packed)
        return self._nbits(x, name, codes, scales, bias, bits=4, block_size=group, N=n, K=k)

    def _int8(self, x: str, name: str, weights: Stack, bias: str) -> str:
        """The operator wants whole blocks and a scale for each: a runtime pads and repeats as it loads."""
        n, k = weights.shape
        block = int8_block(k, 4 if self.activations == FLOAT32 else 2)
        blocks = -(-k // block)
        shapes = (n, k) if k % block else (n, blocks, block), (n, 1)
        codes, scales = self.packed(name, weights, TensorProto.UINT8, *shapes, streams.int8_unsigned)
        if k % block:
            codes = self._pad(codes, blocks, block, blocks * block - k)
        scales = self.graph.op("Expand", [scales, self._integers(n, blocks)], name=f"{scales}.repeated")[0]
        return self._nbits(x, name, codes, scales, bias, bits=8, block_size=block, N=n, K=k)

    def _pad(self, codes: str, blocks: int, block: int, missing: int) -> str:
        zero = self.graph.constant("zero_code", np.array(0x80, np.uint8))
        padded = self.graph.op("Pad", [codes, self._integers(0, 0, 0, missing), zero], name=f"{codes}.padded")
        return self.graph.op("Reshape", [*padded, self._integers(0, blocks, block)], name=f"{codes}.blocks")[0]

    def _nbits(self, x: str, name: str, codes: str, scales: str, bias: str, **attributes: int) -> str:
        """Level 4 multiplies int8 activations; without it the CPU is up to a hundred times slower.

        CUDA's kernels for a few rows know no bias, so there it is an addition of its own.
        """
        inside = bias if self.activations == FLOAT32 else ""
        product = name if inside == bias else f"{name}.matmul"
        inputs = [x, codes, scales, *(["", "", inside] if inside else [])]
        attributes["accuracy_level"] = 4
        self.graph.op("MatMulNBits", inputs, [product], name=product, domain=MS, attributes=attributes)
        return name if product == name else self.add(product, bias, name)

    def _int8_dynamic(self, x: str, name: str, weights: Stack, bias: str) -> str:
        """Whole images at once, where this is three times as fast as MatMulNBits.

        Its activations have one range per call, so several images in a call change each other slightly.
        On x86-64 without VNNI its sums saturate unless :mod:`edgekit.onnx_session` sees to it.
        """
        n, k = weights.shape
        codes, scales = self.packed(name, weights, TensorProto.INT8, (k, n), (n,), streams.int8_columns)
        inputs = [x, codes, scales, self._zero_point(name), *([bias] if bias else [])]
        return self.graph.op("DynamicQuantizeMatMul", inputs, name=name, domain=MS)[0]

    def _int8_static(self, x: str, name: str, weights: Stack, bias: str, input_range: str) -> str:
        """As :meth:`_int8_dynamic`, by the range that was measured: what lies beyond it is cut off."""
        n, k = weights.shape
        codes, scales = self.packed(name, weights, TensorProto.INT8, (k, n), (n,), streams.int8_columns)
        largest = float(cast("Tensor", self.tensors[input_range]).rows(0, 1)[0])
        step = self.graph.constant(f"{name}.step", np.array(largest / 127, np.float32))
        middle = self.graph.constant("middle_code", np.array(128, np.uint8))
        rounded = self.graph.op("QuantizeLinear", [x, step, middle], name=f"{name}.rounded")[0]
        inputs = [rounded, codes, step, scales, middle, self._zero_point(name), *([bias] if bias else [])]
        return self.graph.op("MatMulIntegerToFloat", inputs, name=name, domain=MS)[0]

    def _zero_point(self, name: str) -> str:
        """Of int8 weights: 0, and each matrix's own, since the runtime moves it where it makes the weights uint8."""
        return self.graph.constant(f"{name}{ZERO_POINT}", np.array(0, np.int8))

    def norm(self, x: str, name: str, kind: Norm, eps: float) -> str:
        weight = self.parameter(f"{name}.weight")
        if kind == "layer":
            inputs = [x, weight, self.parameter(f"{name}.bias")]
            return self.graph.op("LayerNormalization", inputs, name=name, attributes={"axis": -1, "epsilon": eps})[0]
        return self.rms_norm(x, weight, name, eps)

    def add_norm(self, x: str, residual: str, name: str, kind: Norm, eps: float) -> tuple[str, str]:
        inputs = [x, residual, self.parameter(f"{name}.weight")]
        op_type = "SkipSimplifiedLayerNormalization"
        if kind == "layer":
            op_type = "SkipLayerNormalization"
            inputs.append(self.parameter(f"{name}.bias"))
        outputs = [name, "", "", f"{name}.residual"]
        self.graph.op(op_type, inputs, outputs, name=name, domain=MS, attributes={"epsilon": eps})
        return name, f"{name}.residual"

    def activate(self, x: str, kind: Activation, name: str) -> str:
        if kind in _QUICK_GELU:
            return self.graph.op("QuickGelu", [x], name=name, domain=MS, attributes={"alpha": _QUICK_GELU[kind]})[0]
        approximate = "tanh" if kind == "gelu_tanh" else "none"
        return self.graph.op("Gelu", [x], name=name, attributes={"approximate": approximate})[0]

    def self_attention(self, qkv: str, heads: int, head_dim: int, name: str) -> str:
        """Attend by the fused kernel, which takes Q, K and V apart (its packed form is CUDA's only)."""
        parts = self.split(qkv, [heads * head_dim] * 3, f"{name}.split")
        return self.graph.op("MultiHeadAttention", parts, name=name, domain=MS, attributes={"num_heads": heads})[0]

    def cached_attention(self, decoder: DecoderSpec, context: int) -> Attention:
        return GroupQueryAttention(self.graph, self.activations, decoder, context, self.tensors)
