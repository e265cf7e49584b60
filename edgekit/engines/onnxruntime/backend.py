"""ONNX Runtime as a backend: graphs as they are on a GPU; on a processor, weights packed for it and mapped.

On a CPU, ONNX Runtime repacks weights as it loads them and keeps them in memory of the process. The compiled form
holds them as its kernels want them, to be mapped: a start takes next to no memory of its own, and processes share
the rest. It is made in a process of its own, so that a crash of the runtime is one clear error, and what it takes
is known. :mod:`edgekit.engines.onnxruntime.packing` is how.
"""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from typing import Final

import onnxruntime as ort

from edgekit import config, machine
from edgekit.bundle import Bundle
from edgekit.child import listen, python
from edgekit.engines.backend import Backend, Destination, Outcome
from edgekit.engines.base import PartedEngine
from edgekit.engines.lock import compiled_form
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine, require_kernels
from edgekit.engines.onnxruntime.probe import PROBE, answers
from edgekit.engines.place import Place
from edgekit.errors import EngineError
from edgekit.machine.cuda import ordinal
from edgekit.machine.detect import cpu_features
from edgekit.machine.gpus import matching
from edgekit.machine.system import architecture
from edgekit.progress import Progress

_ENGINE = "onnxruntime"  # in a place
_log = logging.getLogger(__name__)


class OnnxRuntimeBackend(Backend):
    """The processor, and NVIDIA's GPUs by the CUDA provider."""

    title = "ONNX Runtime"
    without = "A processor can go on without: it only saves memory."

    def open(self, bundle: Bundle, slots: int) -> PartedEngine | None:
        if bundle.manifest.target.kind.on_gpu:
            gpu = matching(machine.look().gpus, bundle.manifest.target.compute_capability)
            return OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots, "cuda", ordinal=ordinal(gpu))
        form = compiled_form(bundle)
        if form is None:
            return None
        try:
            return OnnxRuntimeEngine(bundle, form, slots, final=True)
        except EngineError as error:
            path = shlex.quote(str(bundle.path))
            _log.warning("%s. Going on without; `edgekit compile %s` makes it anew.", error.message, path)
            return None

    def open_graphs(self, bundle: Bundle, slots: int) -> PartedEngine:
        return OnnxRuntimeEngine(bundle, bundle.path / "graphs", slots)

    def destination(self, bundle: Bundle) -> Destination:
        target = bundle.manifest.target
        if target.kind.on_gpu:
            raise EngineError(
                f"{target.title} runs a bundle as it is: there is nothing to compile",
                f"Run it: edgekit ask {shlex.quote(str(bundle.path))} QUESTION",
            )
        if target.arch not in ("any", architecture()):
            raise EngineError(
                f"{bundle.path} is for {target.title} ({target.arch}); this machine is {architecture()}",
                "Compile it on the device.",
            )
        return Destination(here())

    def compile(self, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        require_kernels(bundle.manifest.recipe)
        command = python("edgekit.engines.onnxruntime.packing", str(bundle.path), str(folder))
        (document,) = listen(command, "Compiling", progress)
        return config.load(Outcome, document, "Compiling")

    def like(self, place: Place) -> Place:
        return here()

    def version(self) -> str:
        return str(ort.__version__)

    def probe(self, folder: Path) -> str:
        return answers(folder / PROBE)


def here() -> Place:
    """Return this machine's processor, with the ONNX Runtime that is installed."""
    return Place(engine=_ENGINE, version=ort.__version__, arch=architecture(), features=cpu_features())


BACKEND: Final = OnnxRuntimeBackend()
