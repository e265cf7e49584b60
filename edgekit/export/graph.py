"""A graph under construction: nodes in order, and the weights that a writer will stream beside it.

A weight is declared with its dtype and shape only; its bytes come later, from a :data:`Fill` that the
writer calls once (one reading of the checkpoint may fill several initializers: codes and scales). So a
graph of any size is built in a few megabytes, and only :mod:`edgekit.export.write` touches weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit.checkpoint.packed import Array

OPSET = 21
IR_VERSION = 10
MS = "com.microsoft"

Put: TypeAlias = Callable[[str, int, Array], None]
"""put(initializer, byte offset, array): store an array's bytes at a place within an initializer."""
Fill: TypeAlias = Callable[[Put], None]


@dataclass(frozen=True)
class Initializer:
    """A weight of the graph whose bytes are written beside it. ``dtype`` is an ``onnx.TensorProto`` code."""

    name: str
    dtype: int
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        count = int(np.prod(self.shape, dtype=np.int64))
        if self.dtype in (TensorProto.INT4, TensorProto.UINT4):
            return (count + 1) // 2
        return count * helper.tensor_dtype_to_np_dtype(self.dtype).itemsize


@dataclass
class Graph:
    """Collects nodes, small constants (kept inline) and streamed weights; names are unique by construction.

    * ``name`` of the graph
    * ``nodes``, in an order in which they can run
    * ``constants``: small tensors by their names
    * ``weights``: what each streamed tensor is, by its name; ``fills``: what reads them, with about how many bytes
    * ``inputs``, ``outputs`` of the graph
    """

    name: str
    _: KW_ONLY
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)
    weights: dict[str, Initializer] = field(default_factory=dict)
    fills: list[tuple[int, Fill]] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def output(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        self.outputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def op(
        self,
        op_type: str,
        inputs: Sequence[str],
        outputs: int | Sequence[str] = 1,
        *,
        name: str,
        domain: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> tuple[str, ...]:
        """Append a node called ``name``; its outputs are ``name``, ``name.1``, … unless they are named."""
        if isinstance(outputs, int):
            outputs = [name if i == 0 else f"{name}.{i}" for i in range(outputs)]
        node = helper.make_node(op_type, list(inputs), list(outputs), name=name, domain=domain, **(attributes or {}))
        self.nodes.append(node)
        return tuple(outputs)

    def constant(self, name: str, value: Array) -> str:
        """Add a small constant, kept inside the graph; the same name may be asked for again."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def weight(self, initializers: Sequence[Initializer], fill: Fill, read_bytes: int) -> None:
        """Declare weights that one ``fill`` writes; ``read_bytes`` of checkpoint pass by (for progress)."""
        for initializer in initializers:
            assert initializer.name not in self.weights, initializer.name
            self.weights[initializer.name] = initializer
        self.fills.append((read_bytes, fill))
