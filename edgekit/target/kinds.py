"""The kinds of engine: what follows from which of them a target names, as data. Nothing is loaded by it.

This table is the one place where engines are told apart. What a kind can do (find, compile, open and describe) is its
``backend``, a package that is loaded when it is asked for (:mod:`edgekit.engines.backend`). A new engine is a package
and a row of this table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from edgekit.errors import ConfigError

ADDRESS_ALIGNMENT: Final = 256
"""Bytes: TensorRT takes tensors at multiples of this."""
Activations: TypeAlias = Literal["float32", "float16"]


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """A kind of engine. What is left out is as of one that computes where things lie, and makes nothing beside them.

    - ``name``: as targets, manifests and profiles have it
    - ``backend``: the package that implements :class:`~edgekit.engines.backend.Backend` in its module ``backend``
    - ``modules``: the Python modules any one of which runs it
    - ``spelling``: the words that its graphs are written in (:data:`edgekit.export.export.SPELLINGS`)
    - ``activations``: the dtype that its graphs compute in
    - ``on_gpu``: whether it computes on a GPU; else on the processor
    - ``chunk``: the most tokens of a prompt that it reads at once
    - ``provider``: ONNX Runtime's that runs the graphs, "" where another runtime does
    - ``needs_plans``: whether a device doesn't answer before it has compiled the graphs to plans
    - ``int8_cache``: whether it has kernels for keys and values in int8
    - ``shares_head``: whether an embedding can be read out of a tied head in int8
    - ``row_alignment``: bytes; every row of the cache, and new keys and values beside it, begin at multiples of it
    - ``paired_rows``: whether its kernels take rows in pairs
    - ``spare_row``: whether its arena keeps a row of one tensor to swap rows by
    - ``fresh_apart``: whether a call's new keys and values are written beside the arena, then moved into it
    - ``copies_cache``: whether it copies a layer's keys and values in front of its attention kernel
    - ``widens_last_layer``: whether it writes out int8 matrices that see one token of a prompt alone
    - ``widening_seen_on``: the architectures whose devices that was measured for; on others it is assumed
    - ``repacks``: what it makes of packed weights as it loads them: their codes and scales anew, the scales, or nothing
    - ``compiles``: what compiling holds at once: one matrix, or a graph's weights
    """

    name: str
    backend: str
    modules: tuple[str, ...]
    spelling: Literal["ort", "trt"]
    activations: Activations
    on_gpu: bool
    chunk: int
    provider: Literal["cpu", "cuda", ""]
    needs_plans: bool
    int8_cache: bool
    shares_head: bool
    row_alignment: int = 1
    paired_rows: bool = False
    spare_row: bool = False
    fresh_apart: bool = False
    copies_cache: bool = False
    widens_last_layer: bool = False
    widening_seen_on: tuple[str, ...] = ()
    repacks: Literal["codes", "scales", "nothing"] = "nothing"
    compiles: Literal["matrix", "graph"] = "matrix"

    def context_step(self, width: int) -> int:
        """Return the tokens that a context must be a multiple of, a token's keys being ``width`` numbers of the
        activations'."""
        itemsize = {"float32": 4, "float16": 2}[self.activations]
        return self.row_alignment // math.gcd(self.row_alignment, itemsize * width)


PROCESSOR: Final = "onnxruntime"
"""The kind that every machine can run: builds ask their graphs by it, and it stands in where a GPU is not there."""

KINDS: Final[dict[str, EngineKind]] = {
    kind.name: kind
    for kind in (
        EngineKind(
            name=PROCESSOR,
            backend="edgekit.engines.onnxruntime",
            modules=("onnxruntime",),
            spelling="ort",
            activations="float32",
            on_gpu=False,
            chunk=128,  # no slower than 512 on a CPU, and its scratch is a quarter
            provider="cpu",
            needs_plans=False,
            int8_cache=True,
            shares_head=True,
            paired_rows=True,
            repacks="codes",
        ),
        EngineKind(
            name="onnxruntime-cuda",
            backend="edgekit.engines.onnxruntime",
            modules=("onnxruntime",),
            spelling="ort",
            activations="float16",
            on_gpu=True,
            chunk=128,
            provider="cuda",
            needs_plans=False,
            int8_cache=False,
            shares_head=True,
            paired_rows=True,
            spare_row=True,
            repacks="scales",
        ),
        EngineKind(
            name="tensorrt",
            backend="edgekit.engines.tensorrt",
            modules=("tensorrt", "tensorrt_rtx"),
            spelling="trt",
            activations="float16",
            on_gpu=True,
            chunk=512,
            provider="",
            needs_plans=True,
            int8_cache=False,
            shares_head=False,  # its head lies by columns
            row_alignment=ADDRESS_ALIGNMENT,
            spare_row=True,
            fresh_apart=True,
            copies_cache=True,
            widens_last_layer=True,
            widening_seen_on=("x86_64",),  # TensorRT-RTX knows no Jetson
            compiles="graph",
        ),
    )
}


def kind_of(name: str) -> EngineKind:
    """Return the kind of a name; :class:`ConfigError` where there is none, as in what a newer EdgeKit has written."""
    try:
        return KINDS[name]
    except KeyError:
        raise ConfigError(f"{name!r} is no engine that this EdgeKit knows", f"Known: {', '.join(KINDS)}.") from None
