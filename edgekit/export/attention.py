"""The ``ort`` spelling's attention over a cache: GroupQueryAttention, keys and values as they are or in int8.

An int8 cache has a scale for each channel of a layer's keys and values, fixed before: tensors of the checkpoint
(:func:`~edgekit.checkpoint.shapes.cache_scales`), whose presence is what asks for it. The kernel rounds what it writes
to the nearest code, -128…127, and attends over what the codes stand for, a prompt's own tokens included. Keys are
rounded after rotary embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from onnx import TensorProto, helper

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.shapes import has_cache_scales
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.errors import CheckpointError, ConfigError
from edgekit.export import rope, streams
from edgekit.export.graph import MS, Fill, Graph, Initializer, Put
from edgekit.export.spelling import FLOAT32, Dtype


class GroupQueryAttention:
    """Attention over a buffer ``[rows, kv_heads, capacity, head_dim]`` that is bound as past and present.

    Inputs of the graph: ``seqlens_k`` int32 ``[rows]``, the tokens of each row after this call less one;
    ``total_sequence_length`` int32, the largest number of tokens; ``past.I.key`` and ``past.I.value``.
    Outputs: ``present.I.key`` and ``present.I.value``. The buffer is int8 where ``tensors`` hold scales for it, else in
    the activations' ``dtype``; :class:`ConfigError` for int8 beside other activations than float32.
    """

    def __init__(
        self, graph: Graph, dtype: Dtype, decoder: DecoderSpec, context: int, tensors: Mapping[str, Weight]
    ) -> None:
        _require_supported(decoder)
        self._graph, self._decoder, self._tensors = graph, decoder, tensors
        self._rounded = has_cache_scales(tensors)
        if self._rounded and dtype != FLOAT32:
            raise ConfigError(
                "An int8 KV cache is for CPUs, whose graphs compute in float32; this target's compute in float16",
                'Set kv = "activations" in the recipe for this target.',
            )
        self._code = TensorProto.INT8 if self._rounded else int(helper.np_dtype_to_tensor_dtype(dtype))
        self._lengths = [
            graph.input("seqlens_k", TensorProto.INT32, ["rows"]),
            graph.input("total_sequence_length", TensorProto.INT32, []),
        ]
        cos, sin = rope.tables(decoder.rope, context)
        self._tables = [graph.constant("cos", cos.astype(dtype)), graph.constant("sin", sin.astype(dtype))]

    def __call__(self, qkv: str, name: str, layer: int) -> str:
        decoder, graph = self._decoder, self._graph
        shape: list[int | str] = ["rows", decoder.kv_heads, "capacity", decoder.head_dim]
        past = [graph.input(f"past.{layer}.{part}", self._code, shape) for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        inputs = [qkv, "", "", *past, *self._lengths, *self._tables]
        attributes: dict[str, Any] = {"num_heads": decoder.heads, "kv_num_heads": decoder.kv_heads, "do_rotary": 1}
        if self._rounded:
            inputs += ["", "", "", self._scale(f"{name}.k_scale"), self._scale(f"{name}.v_scale")]
            attributes |= {"k_quant_type": "PER_CHANNEL", "v_quant_type": "PER_CHANNEL", "kv_cache_bit_width": 8}
        graph.op("GroupQueryAttention", inputs, [name, *present], name=name, domain=MS, attributes=attributes)
        for output in present:
            graph.output(output, self._code, shape)
        return name

    def _scale(self, name: str) -> str:
        scale = cast("Tensor", self._tensors[name])
        shape = (1, self._decoder.kv_heads, 1, self._decoder.head_dim)
        weight = Initializer(name, TensorProto.FLOAT, shape)
        self._graph.weight([weight], _positive(name, scale), weight.nbytes)
        return name


def _positive(name: str, scale: Tensor) -> Fill:
    """A vector of scales in float32; :class:`CheckpointError` for one that is no positive number."""

    def fill(put: Put) -> None:
        values = streams.convert(scale.rows(0, scale.shape[0]), FLOAT32, name)
        if not (values > 0).all():
            raise CheckpointError(
                f"'{name}' holds a scale that is not above zero", "The checkpoint is damaged: quantize it again."
            )
        put(name, 0, values)

    return fill


def _require_supported(decoder: DecoderSpec) -> None:
    for what, size in (("attention heads", decoder.head_dim), ("rotary embedding", decoder.rope.dim)):
        if size % 16:
            raise CheckpointError(
                f"The decoder's {what} are {size} wide; ONNX Runtime's attention takes multiples of 16",
                "Models of this shape can't be exported for this engine.",
            )
