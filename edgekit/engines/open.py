"""Which engine runs a bundle on this machine, and in which form of its graphs."""

from __future__ import annotations

import ctypes
import logging
import shlex
from contextlib import suppress
from typing import cast

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.engines.base import PartedEngine
from edgekit.engines.lock import compiled_form, find_form, place_of
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.place import gpu_for
from edgekit.engines.tensorrt.api import Flavour, flavour
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.errors import EngineError
from edgekit.machine.cuda import ordinal
from edgekit.machine.gpus import fitting

_log = logging.getLogger(__name__)


def open_engine(bundle: Bundle, slots: int) -> PartedEngine:
    """The engine that the bundle's target names, with ``slots`` rows of KV.

    On a CPU it maps the compiled form where there is one for this machine; for TensorRT it takes the plans that are for
    this machine's GPU. Where there is no such GPU, the processor runs the graphs, slowly, so that a bundle can be
    looked at anywhere; where there is, nothing takes the place of plans that are missing or wrong.
    :class:`~edgekit.errors.EngineError` or :class:`~edgekit.errors.MissingExtra` where this machine can't.
    """
    named = bundle.manifest.target.engine
    if named == "onnxruntime-cuda":
        gpu = fitting(machine.look().gpus, bundle.manifest.target.compute_capability)
        return OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots, "cuda", ordinal=ordinal(gpu))
    compiled = _open_plans if named == "tensorrt" else _open_compiled
    engine = compiled(bundle, slots) or engine_here(bundle, slots)
    give_back_freed_memory()
    return engine


def engine_here(bundle: Bundle, slots: int = 1) -> PartedEngine:
    """The bundle's own graphs on this machine's processor, whatever device they are for: what every machine has."""
    graphs = bundle.path / "graphs"
    if bundle.manifest.target.engine == "tensorrt":
        return StandardEngine(bundle, graphs, slots)
    return OnnxRuntimeEngine(bundle, graphs, slots)


def _open_plans(bundle: Bundle, slots: int) -> PartedEngine | None:
    """TensorRT's engine; None without the GPU that it is for, :class:`EngineError` where one does not tell its kind."""
    try:
        gpu = gpu_for(bundle.manifest.target)
    except EngineError as error:
        looked = f"edgekit check {shlex.quote(str(bundle.path))} --processor"
        error.hint = f"{error.hint}\nTo have this machine's processor run its graphs, slowly: {looked}"
        raise
    if gpu is None:
        _log.warning("%s is for a GPU that is not here: its graphs run on the processor, slowly.", bundle.path)
        return None
    form, why = find_form(bundle)
    if form is None:
        raise EngineError(
            f"{bundle.path} has no engines for this machine's {gpu.name}{f': {why}' if why else ''}",
            f"Run: edgekit compile {shlex.quote(str(bundle.path))}",
        )
    most = bundle.manifest.target.slots
    if slots > most:
        raise EngineError(
            f"{bundle.path}'s engines were built for {most} slots, and {slots} are wanted",
            f"Ask for {most} at most, or build the bundle for a target with more slots.",
        )
    module = flavour(cast("Flavour", place_of(form).engine)).module
    context = bundle.manifest.context
    return TensorRtEngine(
        bundle, form, module, slots, context, min(StandardEngine.chunk, context), ordinal=ordinal(gpu)
    )


def _open_compiled(bundle: Bundle, slots: int) -> PartedEngine | None:
    form = compiled_form(bundle)
    if form is None:
        return None
    try:
        return OnnxRuntimeEngine(bundle, form, slots, final=True)
    except EngineError as error:
        path = shlex.quote(str(bundle.path))
        _log.warning("%s. Going on without; `edgekit compile %s` makes it anew.", error.message, path)
        return None


def give_back_freed_memory() -> None:
    """What packing took while loading, up to 250 MiB, glibc would keep for later; nothing will want it again."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
