"""A fourth engine, as small as one can be: standard operators by ONNX Runtime, over copies of the graphs."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Final

from edgekit.bundle import Bundle
from edgekit.engines.backend import Backend, Destination, Outcome
from edgekit.engines.base import PartedEngine
from edgekit.engines.lock import compiled_form
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.place import Place
from edgekit.progress import Progress
from edgekit.target.kinds import EngineKind

KIND: Final = EngineKind(
    name="toy",
    backend="tests.toy_engine",
    modules=("onnxruntime",),
    spelling="trt",
    activations="float32",
    on_gpu=False,
    provider="",
    needs_plans=False,
    int8_cache=False,
    shares_head=False,
    row_alignment=1,
    paired_rows=False,
    spare_row=False,
    fresh_apart=False,
    copies_cache=False,
    widens_last_layer=False,
    repacks="nothing",
    compiles="matrix",
)


class ToyEngine(StandardEngine):
    """Runs the graphs in a folder."""


class ToyBackend(Backend):
    """Copies graphs to compile them, and answers by the copies."""

    def open(self, bundle: Bundle, slots: int) -> PartedEngine | None:
        form = compiled_form(bundle)
        return ToyEngine(bundle, form, slots) if form else None

    def open_graphs(self, bundle: Bundle, slots: int) -> PartedEngine:
        return ToyEngine(bundle, bundle.path / "graphs", slots)

    def destination(self, bundle: Bundle) -> Destination:
        return Destination(self._here())

    def compile(self, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        for path in (bundle.path / "graphs").iterdir():
            shutil.copy(path, folder)
        return Outcome(peak_bytes=1, probe=self.probe(folder))

    def like(self, place: Place) -> Place:
        return self._here()

    def version(self) -> str:
        return "1.0"

    def probe(self, folder: Path) -> str:
        return str(len((folder / "decoder.onnx").read_bytes()))

    def _here(self) -> Place:
        return Place(engine="toy", version=self.version(), arch=platform.machine())


BACKEND: Final = ToyBackend()
