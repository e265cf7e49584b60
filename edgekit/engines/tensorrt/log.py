"""What TensorRT's log tells: why a build failed, which layers a plan has, and what memory it will take.

An engine can be asked for its layers only where its GPU is: even TensorRT-RTX, which builds without one, opens no plan
without a driver. But a builder that keeps detailed layer information writes the list of layers to its log, in the
words of the engine inspector: a message of lines ``Name: N, LayerType: T, Inputs: …``, after a line "Layers:".

**Fused attention** is a layer whose name has the word ``mha`` or ``fmha`` in it, as in ``_gemm_mha_v2_myl0_13``: one
kernel for scores, mask, softmax and the weighted sum, which keeps no matrix of scores. Where attention isn't fused,
the list has a matrix product (``gemm``) for the scores, a generated kernel ``…MaxrSubExpSumDiv…`` for the softmax and
another product instead. Every profile has its own layers: the number after ``myl`` counts the graphs that were
compiled, one for each profile unless TensorRT had to cut the network, so its count is each profile's own then.

This was read off TensorRT-RTX 1.7. Releases of TensorRT that write ``Layer(T): N, Tactic: …`` are understood too.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edgekit.units import MIB

_LAYER = re.compile(
    r"^\s*(?:Name: (?P<name>.+?), LayerType: (?P<kind>\w+)|Layer\((?P<type>\w+)\): (?P<old>.+?), Tactic)"
)
_IDLE = frozenset(["signal", "wait", "shape_call", "NoOp"])  # these order the others; they compute nothing
_FUSED = re.compile(r"(?<![a-z])f?mha(?![a-z])", re.IGNORECASE)
_COMPILED = re.compile(r"_myl(\d+)_")
_ACTIVATIONS = re.compile(r"Total Activation Memory: (\d+)")
_WEIGHTS = re.compile(r"Total Weights Memory: (\d+)")
_PEAK = re.compile(r"Peak memory usage of TRT CPU/GPU memory allocators: CPU \d+ MiB, GPU (\d+) MiB")
_NO_MEMORY = re.compile(r"out ?of ?memory|bad_alloc|insufficient memory|cudaErrorMemoryAllocation", re.IGNORECASE)
_REQUESTED = re.compile(r"OutOfMemory \(Requested size was (\d+)")  # of a kernel's workspace
_PLACE = re.compile(r"^(?:\[\S+::\d+\] |\S+\.cpp:\d+: )?(?:Error Code \d+: )?")  # where in its source it says so
_ERROR, _WARNING = 1, 2  # the values of ILogger.Severity; 0 is an internal error


@dataclass(kw_only=True)
class Log:
    """What is kept of a log. Lines come from several threads; nothing here breaks by that."""

    errors: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    warnings: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    layers: list[str] = field(default_factory=list)
    activation_bytes: list[int] = field(default_factory=list)
    weight_bytes: int | None = None
    device_peak_bytes: int | None = None  # of the build itself, in whole MiB
    out_of_memory: bool = False
    requested_bytes: int = 0  # of the last kernel that got no workspace

    def add(self, severity: int, message: str) -> None:
        """Take a message, ``severity`` as TensorRT counts it: 0 the worst, 4 the most verbose."""
        if severity <= _ERROR:
            self.errors.append(_PLACE.sub("", message).strip())
            self.out_of_memory |= bool(_NO_MEMORY.search(message))
            if said := _REQUESTED.search(message):
                self.requested_bytes = int(said[1])
        elif severity == _WARNING:
            self.warnings.append(_PLACE.sub("", message).strip())
        elif said := _ACTIVATIONS.search(message):
            self.activation_bytes.append(int(said[1]))
        elif said := _WEIGHTS.search(message):
            self.weight_bytes = int(said[1])
        elif said := _PEAK.search(message):
            self.device_peak_bytes = int(said[1]) * MIB
        elif "LayerType: " in message or "Layer(" in message:
            self.layers += filter(None, map(_layer, message.splitlines()))

    @property
    def first(self) -> str:
        """The first error since :meth:`forget`: the cause of those that follow; "" without any."""
        return next(filter(None, self.errors), "")

    def forget(self) -> None:
        """Forget the errors: what is logged from here on has other causes."""
        self.errors.clear()
        self.out_of_memory = False

    @property
    def last(self) -> str:
        """The last error, or the last warning where there was none; "" without both."""
        return next((one for kept in (self.errors, self.warnings) for one in reversed(kept) if one), "")


def logger(trt: Any, log: Log) -> Any:
    """Return a logger for TensorRT's builder or runtime that writes to ``log``; it must outlive what is made with
    it."""

    class Logger(trt.ILogger):
        def __init__(self) -> None:
            super().__init__()

        def log(self, severity: Any, message: str) -> None:
            log.add(int(severity), message)

    return Logger()


def fused_attention(layers: list[str] | tuple[str, ...], profiles: int) -> tuple[int, ...]:
    """Return the layers of fused attention in each profile; their sum alone where TensorRT cut the network, and ()
    where it names no kernels: releases that write one layer for a whole compiled graph don't tell."""
    graphs = {int(said[1]) for layer in layers if (said := _COMPILED.search(layer))}
    if not graphs:
        return ()
    fused = [layer for layer in layers if _FUSED.search(layer)]
    if graphs != set(range(max(profiles, 1))):
        return (len(fused),)
    return tuple(sum(f"_myl{graph}_" in layer for layer in fused) for graph in sorted(graphs))


def _layer(line: str) -> str:
    """A line of the list as "kind name"; "" where it is no layer, or one that computes nothing."""
    said = _LAYER.match(line)
    if said is None:
        return ""
    kind, name = said["kind"] or said["type"], said["name"] or said["old"]
    return "" if kind in _IDLE else f"{kind} {name}"
