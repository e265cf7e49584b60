"""Forms of attention over a KV cache, as TensorRT-RTX compiles them for SM86: what each moves, and in how much scratch.

    python -m tests.benchmarks.tensorrt_caches      needs the extra rtx

One layer of TinyLlama's attention (32 query heads, 4 key heads of 64), float16, steps of 1 to 8 rows in a context of
2,048. ``moved``: key and value bytes that a step reads and writes for one row of 22 layers, at 1,024 tokens, reckoned
from which kernels copy them: a copy in front of attention (``Conc``, ``Slic``, ``TranReshMove``) shows in the scratch.
Needs no GPU.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgekit.engines.tensorrt.api import flavour
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.network import Building
from edgekit.engines.tensorrt.shapes import Profile

HEADS, KV_HEADS, WIDTH, CONTEXT, LAYERS = 32, 4, 64, 2048, 22
PLACE = 2 * 2 * KV_HEADS * WIDTH * LAYERS
"""Bytes of keys and values for one token."""


@dataclass
class Form:
    """A graph in the making: ``reads`` says how many places of the cache a step moves, for 1,024 tokens."""

    name: str
    opset: int
    reads: str
    moved: int
    capacity: int | str = "capacity"
    nodes: list[Any] = field(default_factory=list)
    inputs: dict[str, Sequence[int | str]] = field(default_factory=dict)
    outputs: dict[str, Sequence[int | str]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    def op(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def integers(self, *values: int) -> str:
        name = "i" + ".".join(map(str, values))
        self.constants[name] = np.array(values)
        return name

    def save(self, path: Path) -> None:
        kinds = {"lengths": TensorProto.INT64, "attended": TensorProto.INT32}

        def value(name: str, shape: Sequence[int | str]) -> Any:
            return helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT16), shape)

        weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in self.constants.items()]
        ins, outs = ([value(*entry) for entry in side.items()] for side in (self.inputs, self.outputs))
        graph = helper.make_graph(self.nodes, "attention", ins, outs, weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=10), path)


def forms() -> list[Form]:
    """Each with its query, key and value in one tensor ``x``, past keys and values, and the mask that it needs."""
    return [
        _stacked(Form("past and new side by side, all out (plain)", 21, "read, written twice, read", 4 * 1024), "all"),
        _stacked(Form("past and new side by side, new ones out (ours)", 21, "read, written, read", 3 * 1024), "new"),
        _stacked(Form("products over TensorScatter", 24, "the context, read, written, read", 3 * CONTEXT, CONTEXT), ""),
        _side_by_side(Form("Attention over past and new side by side", 23, "read, written, read", 3 * 1024)),
        _scattered(Form("Attention over what TensorScatter wrote", 24, "the context, read", CONTEXT, CONTEXT)),
        _scattered(Form("Attention over a slice of that", 24, "read, written, read", 3 * 1024, CONTEXT), sliced=True),
    ]


def _begin(form: Form) -> None:
    form.inputs["x"] = ["rows", 1, (HEADS + 2 * KV_HEADS) * WIDTH]
    for name in ("past.key", "past.value"):
        form.inputs[name] = ["rows", KV_HEADS, form.capacity, WIDTH]
    form.outputs["y"] = ["rows", 1, HEADS * WIDTH]
    sizes = form.integers(*(heads * WIDTH for heads in (HEADS, KV_HEADS, KV_HEADS)))
    form.op("Split", ["x", sizes], "q", "k", "v", axis=-1)
    for part in "qkv":
        form.op("Reshape", [part, form.integers(0, 0, -1, WIDTH)], f"{part}.heads")
        form.op("Transpose", [f"{part}.heads"], f"{part}.turned", perm=[0, 2, 1, 3])


def _end(form: Form, attended: str) -> Form:
    form.op("Transpose", [attended], "back", perm=[0, 2, 1, 3])
    form.op("Reshape", ["back", form.integers(0, 0, HEADS * WIDTH)], "y")
    return form


def _beside(form: Form, out: str = "new") -> list[str]:
    """Past and new, and "all" of them or the "new" ones out."""
    for name, part in (("key", "k"), ("value", "v")):
        form.op("Concat", [f"past.{name}", f"{part}.turned"], f"all.{name}", axis=2)
        form.op("Identity", [f"all.{name}" if out == "all" else f"{part}.turned"], f"present.{name}")
        form.outputs[f"present.{name}"] = ["rows", KV_HEADS, "total" if out == "all" else 1, WIDTH]
    return ["all.key", "all.value"]


def _written(form: Form) -> list[str]:
    """Past ones, with the new ones written to their places."""
    form.inputs["lengths"] = ["rows"]
    for name, part in (("key", "k"), ("value", "v")):
        form.op("TensorScatter", [f"past.{name}", f"{part}.turned", "lengths"], f"present.{name}", axis=2)
        form.outputs[f"present.{name}"] = form.inputs[f"past.{name}"]
    return ["present.key", "present.value"]


def _stacked(form: Form, out: str) -> Form:
    """The query heads of a key head below each other, as edgekit.export.stacked has them."""
    _begin(form)
    keys, values = _beside(form, out) if out else _written(form)
    form.inputs["mask"] = ["rows", 1, HEADS // KV_HEADS, "total" if out else CONTEXT]
    form.constants["scale"] = np.float16(WIDTH**-0.5)
    form.op("Mul", ["q.turned", "scale"], "q.scaled")
    form.op("Reshape", ["q.scaled", form.integers(0, KV_HEADS, -1, WIDTH)], "q.below")
    form.op("Transpose", [keys], "columns", perm=[0, 1, 3, 2])
    form.op("MatMul", ["q.below", "columns"], "scores")
    form.op("Add", ["scores", "mask"], "masked")
    form.op("Cast", ["masked"], "wide", to=TensorProto.FLOAT)
    form.op("Softmax", ["wide"], "shares.wide", axis=-1)
    form.op("Cast", ["shares.wide"], "shares", to=TensorProto.FLOAT16)
    form.op("MatMul", ["shares", values], "stacked")
    form.op("Reshape", ["stacked", form.integers(0, HEADS, 1, WIDTH)], "attended")
    return _end(form, "attended")


def _side_by_side(form: Form) -> Form:
    _begin(form)
    keys_and_values = _beside(form)
    form.inputs["mask"] = ["rows", 1, 1, "total"]
    return _end(form, form.op("Attention", ["q.turned", *keys_and_values, "mask"], "attended"))


def _scattered(form: Form, *, sliced: bool = False) -> Form:
    _begin(form)
    seen = _written(form)
    form.inputs["mask"] = ["rows", 1, 1, "attended" if sliced else CONTEXT]
    if sliced:
        form.inputs["attended"] = ["attended"]
        ends = [form.integers(0), form.op("Shape", ["attended"], "end"), form.integers(2)]
        seen = [form.op("Slice", [tensor, *ends], f"{tensor}.seen") for tensor in seen]
    return _end(form, form.op("Attention", ["q.turned", *seen, "mask"], "attended.heads"))


def _profile(form: Form) -> Profile:
    """1 to 8 rows, behind 256 to 2,048 places."""

    def sized(shape: Sequence[int | str], rows: int, places: int) -> tuple[int, ...]:
        sizes = {"rows": rows, "capacity": places, "attended": places, "total": places + 1}
        return tuple(sizes[size] if isinstance(size, str) else size for size in shape)

    three = ((1, 256), (1, 1024), (8, CONTEXT))
    return {
        name: (sized(shape, *three[0]), sized(shape, *three[1]), sized(shape, *three[2]))
        for name, shape in form.inputs.items()
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for form in forms():
            path = Path(folder) / "attention.onnx"
            form.save(path)
            building = Building(
                flavour("tensorrt_rtx"), Options("tensorrt_rtx", "8.6"), "", lambda *_: None, lambda: True
            )
            building.configure(None)
            building.read(path)
            building.shapes([_profile(form)])
            building.build()
            print(f"{form.name}: opset {form.opset}, {len(form.nodes)} nodes, {len(building.log.layers)} kernels")
            print(f"  scratch {building.log.activation_bytes[0] / 1e6:.2f} MB; {form.reads}: ", end="")
            print(f"{form.moved * PLACE / 1e6:.0f} MB moved a token")
            print("  " + "\n  ".join(building.log.layers))


if __name__ == "__main__":
    main()
