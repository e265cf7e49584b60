"""TensorRT as a backend: a device with the GPU answers by plans alone; elsewhere the processor proves the graphs."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.backend import Backend, Destination, Outcome, PlanRecord, compile_command
from edgekit.engines.base import PartedEngine
from edgekit.engines.believed import compile_again
from edgekit.engines.lock import find_form, place_of
from edgekit.engines.onnxruntime.standard import StandardEngine
from edgekit.engines.place import Place, gpu_for
from edgekit.engines.tensorrt.api import TITLES, Flavour, flavour
from edgekit.engines.tensorrt.cache import FILE
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.engines.tensorrt.place import like, version_of
from edgekit.engines.tensorrt.shapes import chunk_for, sizes
from edgekit.errors import EdgeKitError, EngineError
from edgekit.machine.cuda import ordinal
from edgekit.progress import Progress
from edgekit.units import format_bytes

_RTX = "tensorrt-rtx-cu13"  # the package of the extra rtx, whose plans alone are built ahead
_log = logging.getLogger(__name__)


class TensorRtBackend(Backend):
    """TensorRT and TensorRT-RTX; what builds plans is loaded where plans are built or looked at."""

    title = TITLES["tensorrt"]
    without = "Without engines a device with that GPU does not answer."

    def open(self, bundle: Bundle, slots: int) -> PartedEngine | None:
        try:
            gpu = gpu_for(bundle.manifest.target, machine.look())
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
                compile_again(bundle),
            )
        most = bundle.manifest.target.slots
        if slots > most:
            raise EngineError(
                f"{bundle.path}'s engines were built for {most} slots, and {slots} are wanted",
                f"Ask for {most} at most, or build the bundle for a target with more slots.",
            )
        module = flavour(cast(Flavour, place_of(form).engine)).module
        context = bundle.manifest.context
        return TensorRtEngine(bundle, form, module, slots, context, chunk_for(context), ordinal=ordinal(gpu))

    def open_graphs(self, bundle: Bundle, slots: int) -> PartedEngine:
        return StandardEngine(bundle, bundle.path / "graphs", slots)

    def destination(self, bundle: Bundle) -> Destination:
        from edgekit.engines.tensorrt.build.destination import destination

        try:
            return destination(bundle.manifest.target, machine.look())
        except EdgeKitError as error:
            error.hint = error.hint.replace(
                "BUNDLE", shlex.quote(str(bundle.path))
            )  # a destination knows the target alone
            raise

    def compile(self, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        from edgekit.engines.tensorrt.build.plans import build_plans

        plans = build_plans(bundle, folder, destination, progress)
        return Outcome(max(plan.peak_bytes for plan in plans.values()), plans=plans)

    def like(self, place: Place) -> Place:
        return like(place, machine.look())

    def version(self) -> str:
        """Return every flavour that is installed: which of them built the plans is in their lock."""
        return ", ".join(f"{name} {version}" for name in TITLES if (version := version_of(name)))

    def shapes(self, bundle: Bundle) -> dict[str, int]:
        return sizes(bundle.manifest.target.slots, bundle.manifest.context)

    def kept_files(self) -> dict[str, str]:
        return {FILE: "remove it; the next start on that GPU makes it anew"}

    def records(self, folder: Path) -> dict[str, PlanRecord]:
        from edgekit.engines.tensorrt.build.plans import records

        return records(folder)

    def doubts(self, bundle: Bundle, records: Mapping[str, PlanRecord], planned: Mapping[str, int]) -> tuple[str, ...]:
        from edgekit.engines.tensorrt.build.doubts import doubts

        return doubts(bundle.path / "graphs", bundle.manifest.spec, records, planned)

    def attention(self, spec: ModelSpec) -> dict[str, int]:
        from edgekit.engines.tensorrt.build.doubts import attention

        return attention(spec)

    def runtime_title(self, place: Place) -> str:
        return cast(Mapping[str, str], TITLES).get(place.engine, place.engine)

    def installation(self, place: Place) -> str:
        return f"pip install '{_RTX}=={place.version}'"

    def next_step(self, bundle: Bundle, compile_bytes: int) -> str:
        arch, compile_it = bundle.manifest.target.arch, compile_command(bundle)
        if arch == "x86_64":
            return f"Still to do, on the device or on any x86-64 machine with the extra rtx: {compile_it}"
        if arch == "any":
            return super().next_step(bundle, compile_bytes)
        return (
            f"Still to do: TensorRT's engines are built on the device, in minutes and with about "
            f"{format_bytes(compile_bytes)} of memory. There, with JetPack 6.2 or newer and the extra jetson "
            f"(pip install 'edgekit[jetson]'), run: {compile_it}"
        )


BACKEND: Final = TensorRtBackend()
