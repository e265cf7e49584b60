"""The ``trt`` spelling's attention over a cache: the query heads that share a key head stand below each other as rows.

So it is plain attention over ``kv_heads`` heads, which TensorRT fuses at every length, in opset 21 and later; grouped
5-D products are not fused, and repeating keys for every query head takes eight times the scratch (both measured with
TensorRT-RTX 1.7).

``past.I.key`` and ``past.I.value`` are ``[rows, kv_heads, capacity, head_dim]``, of which row r's first ``lengths[r]``
places hold its tokens; what lies behind them is never attended to. ``present.I.key`` and ``present.I.value``
``[rows, kv_heads, length, head_dim]`` are the new keys and values alone: whoever runs the graph writes them behind each
row's tokens. Past and new are laid side by side within the graph: TensorRT copies them for that. What would save the
copy, ONNX's Attention over what TensorScatter writes, reads the whole context at every step, and is not in TensorRT
10.3 (docs/tensorrt.md has figures).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import DecoderSpec
from edgekit.export import rope
from edgekit.export.graph import Graph
from edgekit.export.spelling import Dtype

_SHUT = -6e4
"""Added to the score of what must not be seen: float16 holds it, and its exponential is zero beside any score."""


class StackedAttention:
    """Declares the graph's input ``lengths`` (int32 ``[rows]``: each row's tokens before this call), angles and mask
    once; called for each layer."""

    def __init__(self, graph: Graph, dtype: Dtype, decoder: DecoderSpec, context: int) -> None:
        self._graph, self._dtype, self._decoder = graph, dtype, decoder
        self._code = int(helper.np_dtype_to_tensor_dtype(dtype))
        self._group = decoder.heads // decoder.kv_heads
        self._kv_shape: list[int | str] = ["rows", decoder.kv_heads, "capacity", decoder.head_dim]
        self._pasts = [
            [graph.input(f"past.{layer}.{part}", self._code, self._kv_shape) for part in ("key", "value")]
            for layer in range(decoder.layers)
        ]
        lengths = graph.input("lengths", TensorProto.INT32, ["rows"])
        self._lengths = self._op("Cast", [lengths], "lengths.wide", to=TensorProto.INT64)
        self._places = self._constant("places", np.arange(context, dtype=np.int64))
        count = self._op("Shape", ["inputs_embeds"], "length", start=1, end=2)
        self._new = new = self._op("Slice", [self._places, self._integers(0), count], "new.places")
        self._rows = self._op("Shape", [lengths], "rows")
        self._starts = self._op("Unsqueeze", [self._lengths, self._integers(1)], "starts")
        positions = self._op("Add", [self._starts, new], "positions")
        self._cos, self._sin = self._angles(positions, context)
        self._mask = self._stacked_mask(count, new)

    def __call__(self, qkv: str, name: str, layer: int) -> str:
        decoder = self._decoder
        widths = [heads * decoder.head_dim for heads in (decoder.heads, decoder.kv_heads, decoder.kv_heads)]
        qkv = self.kept_apart(qkv, f"{name}.qkv.whole")
        parts = self._graph.op(
            "Split", [qkv, self._integers(*widths)], 3, name=f"{name}.split", attributes={"axis": -1}
        )
        heads = [self._heads(part, f"{name}.{which}") for which, part in zip("qkv", parts, strict=True)]
        query, key = (self._turn(x, f"{name}.{which}") for which, x in zip("qk", heads, strict=False))
        value = heads[2]
        keys, values = (
            self._kept(new, past, f"present.{layer}.{part}")
            for new, past, part in zip((key, value), self._pasts[layer], ("key", "value"), strict=True)
        )
        below = self._op("Reshape", [query, self._integers(0, decoder.kv_heads, -1, decoder.head_dim)], f"{name}.below")
        attended = attend(
            self._graph, below, keys, values, self._mask, decoder.head_dim, self._dtype, f"{name}.attended"
        )
        apart = self._op("Reshape", [attended, self._apart()], f"{name}.apart")
        back = self._op("Transpose", [apart], f"{name}.back", perm=[0, 2, 1, 3])
        flat = self._op("Reshape", [back, self._integers(0, 0, decoder.heads * decoder.head_dim)], f"{name}.flat")
        return self.kept_apart(flat, name)

    def kept_apart(self, x: str, name: str, axis: int = 1) -> str:
        """Keep ``x`` as it is, ``[rows, length, …]``, or with ``axis`` 0 ``[rows, …]``: all of its places, by an index.

        TensorRT-RTX can't know that this changes nothing, and so draws no reordering of what comes before or after into
        a product's weights. It would write int8 ones out in float16 at every step (behind attention's heads), keep
        float16 ones cut apart for one profile and whole for the other (in front of a split), and join those of two
        products of one input for one profile alone (Phi's attention and MLP).
        """
        if axis:
            return self._op("Gather", [x, self._new], name, axis=1)
        rows = self._op("Slice", [self._places, self._integers(0), self._rows], f"{name}.rows")
        return self._op("Gather", [x, rows], name, axis=0)

    def _heads(self, x: str, name: str) -> str:
        """``[rows, length, heads · head_dim]`` → ``[rows, heads, length, head_dim]``."""
        parted = self._op("Reshape", [x, self._integers(0, 0, -1, self._decoder.head_dim)], f"{name}.parted")
        return self._op("Transpose", [parted], f"{name}.heads", perm=[0, 2, 1, 3])

    def _turn(self, x: str, name: str) -> str:
        """Rotary embedding: the first ``rope.dim`` channels of each head, one half against the other."""
        half, rest = self._decoder.rope.dim // 2, self._decoder.head_dim - self._decoder.rope.dim
        widths = [half, half, rest] if rest else [half, half]
        first, second, *others = self._graph.op(
            "Split", [x, self._integers(*widths)], len(widths), name=f"{name}.halves", attributes={"axis": -1}
        )
        products = {
            (part, by): self._op("Mul", [x_part, angle], f"{name}.{part}.{by}")
            for part, x_part in (("first", first), ("second", second))
            for by, angle in (("cos", self._cos), ("sin", self._sin))
        }
        turned = [
            self._op("Sub", [products["first", "cos"], products["second", "sin"]], f"{name}.first"),
            self._op("Add", [products["second", "cos"], products["first", "sin"]], f"{name}.second"),
        ]
        return self._op("Concat", [*turned, *others], f"{name}.turned", axis=-1)

    def _kept(self, new: str, past: str, present: str) -> str:
        """All keys (or values) that are attended over; declares what comes out of them."""
        self._graph.op("Identity", [new], [present], name=present)
        shape: list[int | str] = ["rows", self._decoder.kv_heads, "length", self._decoder.head_dim]
        self._graph.output(present, self._code, shape)
        return self._op("Concat", [past, new], f"{present}.all", axis=2)

    def _angles(self, positions: str, context: int) -> tuple[str, str]:
        """cos and sin of each token's place, ``[rows, 1, length, rope.dim / 2]``."""
        angles = []
        for name, table in zip(("cos", "sin"), rope.tables(self._decoder.rope, context), strict=True):
            rows = self._op(
                "Gather", [self._constant(name, table.astype(self._dtype)), positions], f"{name}.rows", axis=0
            )
            angles.append(self._op("Unsqueeze", [rows, self._integers(1)], f"{name}.angles"))
        return angles[0], angles[1]

    def _stacked_mask(self, count: str, new: str) -> str:
        """What is added to scores, ``[rows, 1, group · length, capacity + length]``: a token sees its row's past, and
        of the new tokens those up to itself."""
        capacity = self._op("Shape", ["past.0.key"], "capacity", start=2, end=3)
        places = self._op("Slice", [self._places, self._integers(0), capacity], "past.places")
        held = self._op(
            "Unsqueeze", [self._op("Less", [places, self._starts], "held"), self._integers(1)], "held.by.row"
        )
        earlier = self._op(
            "LessOrEqual", [new, self._op("Unsqueeze", [new, self._integers(1)], "new.column")], "earlier"
        )
        parts = []
        for name, seen, width in (("past", held, capacity), ("new", earlier, count)):
            shape = self._op("Concat", [self._rows, count, width], f"{name}.shape", axis=0)
            parts.append(self._op("Expand", [seen, shape], f"{name}.seen"))
        seen = self._op("Concat", parts, "seen", axis=2)
        scores = [self._constant(f"score.{value:g}", np.array(value, self._dtype)) for value in (0.0, _SHUT)]
        mask = self._op("Where", [seen, *scores], "mask.one")
        if self._group > 1:
            mask = self._op("Tile", [mask, self._integers(1, self._group, 1)], "mask.tiled")
        return self._op("Unsqueeze", [mask, self._integers(1)], "mask")

    def _apart(self) -> str:
        """The shape ``[rows, heads, length, head_dim]``, made once: its length is that of this call."""
        if not any(node.name == "apart" for node in self._graph.nodes):
            self._op(
                "Concat",
                [
                    self._integers(0),
                    self._integers(self._decoder.heads),
                    "length",
                    self._integers(self._decoder.head_dim),
                ],
                "apart",
                axis=0,
            )
        return "apart"

    def _op(self, op_type: str, inputs: list[str], name: str, **attributes: Any) -> str:
        return self._graph.op(op_type, inputs, name=name, attributes=attributes)[0]

    def _constant(self, name: str, value: Array) -> str:
        return self._graph.constant(name, value)

    def _integers(self, *values: int) -> str:
        return self._graph.constant("int64." + ".".join(map(str, values)), np.array(values, np.int64))


def attend(graph: Graph, query: str, key: str, value: str, mask: str, head_dim: int, dtype: Dtype, name: str) -> str:
    """Write softmax(q kᵀ / √head_dim + mask) v; all ``[rows, heads, length, head_dim]``.

    Queries are scaled before the product, which would else leave float16's range. Softmax sums in float32; TensorRT
    fuses that as well.
    """
    scale = graph.constant(f"scale.{dtype}", np.array(head_dim**-0.5, dtype))
    scaled = graph.op("Mul", [query, scale], name=f"{name}.scaled")[0]
    columns = graph.op("Transpose", [key], name=f"{name}.columns", attributes={"perm": [0, 1, 3, 2]})[0]
    scores = graph.op("MatMul", [scaled, columns], name=f"{name}.scores")[0]
    if mask:
        scores = graph.op("Add", [scores, mask], name=f"{name}.masked")[0]
    if dtype != np.float32:
        scores = graph.op("Cast", [scores], name=f"{name}.wide", attributes={"to": TensorProto.FLOAT})[0]
    shares = graph.op("Softmax", [scores], name=f"{name}.shares", attributes={"axis": -1})[0]
    if dtype != np.float32:
        narrow = int(helper.np_dtype_to_tensor_dtype(dtype))
        shares = graph.op("Cast", [shares], name=f"{name}.narrow", attributes={"to": narrow})[0]
    return graph.op("MatMul", [shares, value], name=name)[0]
