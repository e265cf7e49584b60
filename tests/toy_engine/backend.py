"""A fourth engine, as small as one can be: standard operators by ONNX Runtime, over copies of the graphs.

And a fifth, whose copies are plans on an accelerator: without them its device does not answer.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from edgekit.bundle import Bundle
from edgekit.engines.backend import Backend, Destination, Outcome, PlanRecord, compile_command
from edgekit.engines.base import PartedEngine
from edgekit.engines.lock import compiled_form, find_form
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.place import Place
from edgekit.errors import EngineError
from edgekit.machine.system import architecture
from edgekit.progress import Progress
from edgekit.target.kinds import EngineKind

KIND: Final = EngineKind(
    name="toy",
    backend="tests.toy_engine",
    modules=("onnxruntime",),
    spelling="trt",
    activations="float32",
    on_gpu=False,
    chunk=512,
    provider="",
    needs_plans=False,
    int8_cache=False,
    shares_head=False,
)
WITH_PLANS: Final = replace(KIND, name="toy-plans", on_gpu=True, needs_plans=True)


class ToyEngine(StandardEngine):
    """Runs the graphs in a folder."""


class ToyPlansEngine(StandardEngine):
    """Runs plans, on the accelerator."""

    on_gpu = True

    def __init__(self, bundle: Bundle, plans: Path, slots: int) -> None:
        super().__init__(bundle, plans, slots)
        self.plans = plans


class ToyBackend(Backend):
    """Copies graphs to compile them, and answers by the copies."""

    title = "Toy"
    without = "Without plans a toy does not answer."

    def open(self, bundle: Bundle, slots: int) -> PartedEngine | None:
        if not bundle.manifest.target.kind.needs_plans:
            form = compiled_form(bundle)
            return ToyEngine(bundle, form, slots) if form else None
        plans, why = find_form(bundle)
        if plans is None:
            raise EngineError(f"{bundle.path} has no plans: {why}", compile_command(bundle))
        return ToyPlansEngine(bundle, plans, slots)

    def open_graphs(self, bundle: Bundle, slots: int) -> PartedEngine:
        return ToyEngine(bundle, bundle.path / "graphs", slots)

    def destination(self, bundle: Bundle) -> Destination:
        return Destination(self._here())

    def compile(self, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        for path in (bundle.path / "graphs").iterdir():
            shutil.copy(path, folder)
        plans = self.records(folder) if bundle.manifest.target.kind.needs_plans else {}
        return Outcome(peak_bytes=1, probe=self.probe(folder), plans=plans)

    def like(self, place: Place) -> Place:
        return self._here()

    def version(self) -> str:
        return "1.0"

    def probe(self, folder: Path) -> str:
        return str(len((folder / "decoder.onnx").read_bytes()))

    def records(self, folder: Path) -> dict[str, PlanRecord]:
        return {
            path.stem: PlanRecord(
                bytes=path.stat().st_size,
                seconds=0.1,
                peak_bytes=1,
                device_peak_bytes=None,
                weight_bytes=None,
                activation_bytes=(),
                fused=(),
                warnings=(),
            )
            for path in sorted(folder.glob("*.onnx"))
        }

    def _here(self) -> Place:
        return Place(engine="toy", version=self.version(), arch=architecture())


BACKEND: Final = ToyBackend()
