"""The builder's own steps, on a loaded TensorRT: read a graph, describe its shapes, configure, build.

TensorRT tells what went wrong in its log, and returns nothing or raises whatever its binding likes; here that becomes
:class:`EngineError`. The objects hold on to each other without Python knowing, so one :class:`Building` keeps them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edgekit.engines.tensorrt.api import Api
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.phases import Phases
from edgekit.engines.tensorrt.log import Log, logger
from edgekit.engines.tensorrt.shapes import Profile
from edgekit.errors import EngineError, gist
from edgekit.units import format_bytes

# CUDA's error 35 is a driver that is older than what was installed with TensorRT, or none at all.
_OLD_DRIVER = re.compile(r"error:? 35\b|driver version is insufficient", re.IGNORECASE)
_NO_GPU = re.compile(r"CUDA (?:driver|initialization)|no CUDA-capable", re.IGNORECASE)


class Building:
    """A graph on its way to a plan. ``going_on`` is asked at every step: False ends the build. ``less_memory`` is what
    an error says to do where memory runs out."""

    def __init__(
        self,
        api: Api,
        options: Options,
        less_memory: str,
        report: Callable[[int, int], None],
        going_on: Callable[[], bool],
    ) -> None:
        self.api, self.options, self.log, self.phases = api, options, Log(), Phases(report)
        self._less_memory = less_memory
        trt = api.module
        self._logger = logger(trt, self.log)
        self._monitor = _monitor(trt, self.phases, going_on)
        self._builder = self._asked(lambda: trt.Builder(self._logger))
        # TensorRT 11 knows no other typing, and may know no flag for it.
        strongly = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        self._network = self._asked(lambda: self._builder.create_network(0 if strongly is None else 1 << int(strongly)))
        self._parser = self._asked(lambda: trt.OnnxParser(self._network, self._logger))
        self._config = self._asked(lambda: self._builder.create_builder_config())
        self._timings: Any = None

    def read(self, graph: Path) -> None:
        """Parse ``graph``, its external data beside it; :class:`EngineError` with every node that can't be."""
        self.log.errors.clear()
        if self._parser.parse_from_file(str(graph)):
            return
        complaints = [_complaint(self._parser.get_error(index)) for index in range(self._parser.num_errors)]
        reasons = "; ".join(dict.fromkeys(complaints)) or self.log.last or "no reason given"
        raise EngineError(
            f"{self.api.title} can't read {graph}: {gist(reasons, 2000)}",
            "Build the bundle again; if it stays so, this version lacks an operator of the model.",
        )

    def shapes(self, profiles: Sequence[Profile]) -> None:
        """Make the plan for ``profiles``; :class:`EngineError` where they don't fit the graph's inputs."""
        inputs = [self._network.get_input(index) for index in range(self._network.num_inputs)]
        names = {one.name for one in inputs}
        dynamic = {one.name for one in inputs if -1 in tuple(one.shape)}
        for number, profile in enumerate(profiles):
            # TensorRT itself takes the shape of an input that there is not, and says nothing.
            if wrong := sorted((profile.keys() - names) | (dynamic - profile.keys())):
                raise EngineError(f"profile {number} and the graph's inputs differ in {', '.join(wrong)}", _OURS)
            self._add(number, profile)
        if dynamic and not profiles:
            raise EngineError(f"the inputs {', '.join(sorted(dynamic))} need a profile", _OURS)

    def _add(self, number: int, profile: Profile) -> None:
        optimization = self._builder.create_optimization_profile()
        for name, shapes in profile.items():
            ranges = list(zip(*shapes, strict=False))
            if {len(ranges)} != set(map(len, shapes)) or any(list(one) != sorted(one) for one in ranges):
                raise EngineError(f"profile {number} of {name} is not in order: {shapes}", _OURS)
            optimization.set_shape(name, *shapes)
        if self._asked(lambda: [self._config.add_optimization_profile(optimization)]) == [-1]:
            raise EngineError(f"profile {number} can't be: {gist(self.log.last)}", _OURS)

    def configure(self, cached: bytes | None) -> None:
        """Set what ``options`` says; ``cached`` is the timing cache as it was found, None for no cache."""
        trt, config = self.api.module, self._config
        config.progress_monitor = self._monitor
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # the log lists layers, the inspector knows them
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, self.options.workspace_bytes)
        # TensorRT-RTX (since 1.2) would else take memory beside the scratch that it was lent: nobody planned that,
        # and no captured step may.
        if (lent := getattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION", None)) is not None:
            config.set_flag(lent)
        if self.options.optimization_level is not None:
            config.builder_optimization_level = self.options.optimization_level
        if self.api.name == "tensorrt_rtx":
            config.num_compute_capabilities = 1
            config.set_compute_capability(_capability(self.api, self.options.compute_capability), 0)
        elif self.options.compute_capability is not None:
            raise EngineError(
                f"{self.api.title} builds for this machine's GPU, not for compute capability "
                f"{self.options.compute_capability}",
                "Build on the device, or for a GeForce or RTX card with TensorRT-RTX.",
            )
        # TensorRT-RTX has these methods, but they do nothing there.
        elif cached is not None and hasattr(config, "create_timing_cache"):
            self._timings = self._take(cached) or self._take(b"")

    def _take(self, cached: bytes) -> Any:
        """A timing cache of ``cached`` that is in use; None where TensorRT won't have it: damaged, or another GPU's."""
        with suppress(RuntimeError, TypeError, ValueError):
            timings = self._config.create_timing_cache(cached)
            if timings is not None and self._config.set_timing_cache(timings, False):
                return timings
        return None

    def build(self) -> Any:
        """Return the plan, as a buffer in host memory."""
        return self._asked(lambda: self._builder.build_serialized_network(self._network, self._config))

    def timings(self) -> Any:
        """Return the timing cache with what this build measured, as a buffer; None without one."""
        return None if self._timings is None else self._timings.serialize()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What TensorRT answers; :class:`EngineError` where it has none."""
        self.log.errors.clear()  # of an earlier step, which went on without
        try:
            answer = ask()
        except MemoryError:
            raise self._no_memory() from None
        except (RuntimeError, TypeError, ValueError) as error:  # a constructor that fails is a TypeError
            if self.log.out_of_memory:
                raise self._no_memory() from error
            raise self._failed(self.log.last or str(error)) from error
        if answer is None or answer is False:
            raise self._no_memory() if self.log.out_of_memory else self._failed(self.log.last or "no reason given")
        return answer

    def _failed(self, reason: str) -> EngineError:
        if _OLD_DRIVER.search(reason):
            return EngineError(
                f"{self.api.title} finds no NVIDIA driver that is new enough for it: {gist(reason, 500)}",
                "Run `edgekit doctor` on this machine: it says how to get a newer driver.",
            )
        if _NO_GPU.search(reason):
            return EngineError(
                f"{self.api.title} finds no NVIDIA GPU to build for: {gist(reason, 500)}",
                "Build on the device; TensorRT-RTX builds for a GeForce or RTX card elsewhere too, "
                "if it is told its compute capability.",
            )
        return EngineError(f"{self.api.title} can't build: {gist(reason, 500)}", "Run with --debug.")

    def _no_memory(self) -> EngineError:
        wanted, allowed = self.log.requested_bytes, self.options.workspace_bytes
        if wanted > allowed:
            return EngineError(
                f"{self.api.title} needs a workspace of {format_bytes(wanted)} for a kernel, and may use "
                f"{format_bytes(allowed)}",
                f"Build for a target with {format_bytes(16 * wanted)} of memory or more, whose sixteenth it is.",
            )
        return EngineError(f"{self.api.title} ran out of memory: {gist(self.log.last, 500)}", self._less_memory)


_OURS = "This is a mistake in EdgeKit: the shapes of a graph and its profiles belong together."


def _complaint(error: Any) -> str:
    """A parser's error: where, and what."""
    what = str(error.desc()).strip().removeprefix("Assertion failed: ").rstrip(".")
    if "Plugin not found" in what:
        what = "this operator is not known"
    operator, name = error.node_operator(), error.node_name()
    if not operator:
        return what
    return f"{operator} {name!r}: {what}" if name else f"{operator} (node {error.node()}): {what}"


def _capability(api: Api, wanted: str | None) -> Any:
    """The member of ComputeCapability for "8.6", or this machine's for None."""
    members = api.module.ComputeCapability
    name = "CURRENT" if wanted is None else f"SM{wanted.replace('.', '')}"
    if member := getattr(members, name, None):
        return member
    numbers = sorted(int(one[2:]) for one in members.__members__ if one.startswith("SM") and one[2:].isdigit())
    can = ", ".join(f"{number // 10}.{number % 10}" for number in numbers)
    raise EngineError(
        f"{api.title} builds for compute capability {can}, not {wanted}",
        "Build with TensorRT on the device itself.",
    )


def _monitor(trt: Any, phases: Phases, going_on: Callable[[], bool]) -> Any:
    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            super().__init__()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            phases.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            phases.step(phase_name, step)
            return going_on()

        def phase_finish(self, phase_name: str) -> None:
            phases.finish(phase_name)

    return Monitor()
