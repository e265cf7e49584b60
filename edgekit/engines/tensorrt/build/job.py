"""What the process that builds a plan is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.engines.tensorrt.api import Flavour
from edgekit.engines.tensorrt.shapes import Profile


@dataclass(frozen=True)
class Options:
    """What a build may do.

    ``flavour`` None takes what there is. ``compute_capability`` "8.6" is the GPU that the plan is for, None the one of
    this machine; only TensorRT-RTX builds for another. ``workspace_bytes`` bounds the device memory that a kernel may
    use beside its tensors. ``optimization_level`` 0…5 trades seconds of building for speed, None is TensorRT's own.
    ``timing_cache`` is a file of measured kernels that a build reads and adds to; TensorRT-RTX measures none.
    """

    flavour: Flavour | None = None
    compute_capability: str | None = None
    workspace_bytes: int = 1 << 30
    optimization_level: int | None = None
    timing_cache: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One graph, and the file ``plan`` to write, which will be ``place`` when it is whole. ``less_memory``: what to do
    where memory runs out (:mod:`edgekit.engines.tensorrt.build.need`; who builds can't know what was free before)."""

    graph: Path
    plan: Path
    place: Path
    profiles: tuple[Profile, ...]
    options: Options
    less_memory: str = ""

    @property
    def timings(self) -> Path:
        """Return the timing cache with what this build measured, beside the plan."""
        return self.plan.with_name(".timings")
