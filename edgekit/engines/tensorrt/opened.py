"""A plan, read from its file: what TensorRT compiled of one graph, for one GPU and one version of TensorRT.

Nothing is copied on the way: the file is mapped, and TensorRT takes of it what the GPU is to hold. What TensorRT says
of a failure is in its log alone; the first of it, which is the cause of what follows, becomes part of the error.
"""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.engines.tensorrt.api import TITLES
from edgekit.engines.tensorrt.log import Log
from edgekit.errors import EngineError, gist
from edgekit.units import format_bytes

Shape = tuple[int, ...]
_MAKE_ROOM = "End other programs that use the GPU, or build the bundle by a recipe with narrower weights."
_DTYPES = {"float16": "HALF", "float32": "FLOAT", "int32": "INT32", "int64": "INT64"}


@dataclass(frozen=True)
class EnginePlan:
    """An opened plan: ``engine`` is TensorRT's ``ICudaEngine``; ``remedy`` is what helps where it does not fit."""

    path: Path
    engine: Any
    module: Any
    log: Log
    remedy: str

    @property
    def scratch_bytes(self) -> int:
        """Bytes that a context needs to run, whichever profile it has."""
        return int(self.engine.device_memory_size_v2)

    def limits(self, tensor: str, profile: int) -> tuple[Shape, Shape]:
        """Return the least and the largest shape of an input in a profile."""
        least, _, largest = self.engine.get_tensor_profile_shape(tensor, profile)
        return tuple(least), tuple(largest)

    def fixed(self, tensor: str) -> bool:
        """Return whether a tensor has one shape only, which need not be set."""
        return -1 not in tuple(self.engine.get_tensor_shape(tensor))

    def require(self, dtypes: dict[str, str], profiles: int) -> None:
        """Raise :class:`EngineError` where the plan has not exactly the given tensors, or another number of
        profiles."""
        names = {self.engine.get_tensor_name(index) for index in range(self.engine.num_io_tensors)}
        if names != dtypes.keys() or self.engine.num_optimization_profiles != profiles:
            raise self.unfit("it is of another graph")
        for name, dtype in dtypes.items():
            if self.engine.get_tensor_dtype(name) != getattr(self.module.DataType, _DTYPES[dtype]):
                raise self.unfit(f"its tensor {name} is not {dtype}")

    def on_host(self, tensor: str) -> bool:
        """Return whether TensorRT reads an input from the host's memory: it has shapes computed from it."""
        return bool(self.engine.get_tensor_location(tensor) == self.module.TensorLocation.HOST)

    def failed(self, trouble: str, error: Exception | None = None) -> EngineError:
        """Return the error for a plan that TensorRT had trouble with: ``trouble`` says which, as a verb, and the log
        the reason."""
        remedy = _MAKE_ROOM if self.log.out_of_memory else self.remedy
        return EngineError(f"TensorRT: {self.path} {trouble}{because(self.log, error)}", remedy)

    def unfit(self, reason: str) -> EngineError:
        """Return the error for a plan that can be opened but is not what this bundle needs."""
        return EngineError(f"{self.path} does not fit this bundle: {reason}", self.remedy)


def because(log: Log, error: Exception | None = None) -> str:
    """Return ``": "`` and the reason for a failure, as TensorRT logged it, or else as ``error`` says; "" without
    either."""
    line = next(filter(None, (log.first or str(error or "")).splitlines()), "")
    return f": {gist(line)}" if line else ""


def open_plan(path: Path, runtime: Any, module: Any, log: Log, remedy: str, digest: str = "") -> EnginePlan:
    """Read the plan at ``path``; :class:`EngineError` with ``remedy`` where it is missing or unusable, or where its
    SHA-256 (hex) is not ``digest``, "" for any: it is not shown to TensorRT then. What was hashed is what TensorRT
    takes: the same pages, read once."""
    log.forget()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as plan:
            if digest and hashlib.sha256(plan).hexdigest() != digest:
                raise EngineError(f"{path} is not the plan that was compiled here: its hash is another", remedy)
            engine = runtime.deserialize_cuda_engine(plan)
    except EngineError:
        raise
    except OSError as error:
        raise EngineError(f"{path} can't be read: {error.strerror or error}", remedy) from error
    except Exception as error:  # an empty file, and whatever the binding raises
        raise _refused(path, module, log, remedy, error) from error
    if engine is None:
        raise _refused(path, module, log, remedy)
    return EnginePlan(path, engine, module, log, remedy)


def title(module: Any) -> str:
    """Return what people call a module of TensorRT's, with its version."""
    return f"{TITLES.get(module.__name__, 'TensorRT')} {module.__version__}"


def _refused(path: Path, module: Any, log: Log, remedy: str, error: Exception | None = None) -> EngineError:
    if log.out_of_memory:
        return EngineError(f"The GPU has no room for {path} of {format_bytes(path.stat().st_size)}", _MAKE_ROOM)
    return EngineError(
        f"{title(module)} can't use {path}: it is damaged, or made for another GPU or version{because(log, error)}",
        remedy,
    )
