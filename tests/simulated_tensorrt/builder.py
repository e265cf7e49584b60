"""TensorRT's builder for tests: a module for a child to find under a name of TensorRT's (:func:`install`). It reads a
graph's inputs, keeps the shapes that it is told, and builds the plans that the simulated runtime runs.

The environment variable FAKE_TENSORRT says what else it does: "version V", "import", "parser", "killed", "memory",
"hang", "full", "no-gpu", "old-driver".
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

import onnx

from tests.simulated_tensorrt.plan import VERSION, FakePlan

_DOES, _, _WORD = os.environ.get("FAKE_TENSORRT", "").partition(" ")
__version__ = _WORD if _DOES == "version" else VERSION
_NO_CUDA = {
    "no-gpu": "100: no CUDA-capable device is detected",
    "old-driver": "35: CUDA driver version is insufficient for CUDA runtime version",
}
if _DOES == "import":
    raise ImportError("libnvinfer.so.10: cannot open shared object file")
LAYERS = (
    "Layers:\nName: _gemm_mha_v2_myl0_13, LayerType: kgen, Inputs: []\nName: __mye1_myl0_2, LayerType: wait, Inputs: []"
)

PEAK = "[MemUsageStats] Peak memory usage of TRT CPU/GPU memory allocators: CPU 75 MiB, GPU 4 MiB"


class ILogger: ...


class IProgressMonitor: ...


class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = 1


class ComputeCapability:
    __members__: ClassVar = {"NONE": 0, "SM86": 86}
    SM86 = 86


class ProfilingVerbosity:
    DETAILED = 2


class MemoryPoolType:
    WORKSPACE = 0


class _Input:
    def __init__(self, value: onnx.ValueInfoProto) -> None:
        dims = value.type.tensor_type.shape.dim
        self.name, self.shape = value.name, tuple(-1 if dim.dim_param else dim.dim_value for dim in dims)


class _Network:
    def __init__(self) -> None:
        self.graph = ""
        self.inputs: tuple[_Input, ...] = ()

    @property
    def num_inputs(self) -> int:
        return len(self.inputs)

    def get_input(self, index: int) -> _Input:
        return self.inputs[index]


class _Error:
    def __init__(self, number: int, name: str) -> None:
        self._number, self._name = number, name

    def desc(self) -> str:
        return "Plugin not found, are the plugin name, version, and namespace correct?"

    def node(self) -> int:
        return self._number

    def node_name(self) -> str:
        return self._name

    def node_operator(self) -> str:
        return "NoSuchOperator"


class BuilderFlag:
    REQUIRE_USER_ALLOCATION = 21


class OnnxParser:
    num_errors = 2

    def __init__(self, network: _Network, logger: Any) -> None:
        self._network = network

    def parse_from_file(self, path: str) -> bool:
        if _DOES == "parser":
            return False
        self._network.graph = path
        self._network.inputs = tuple(map(_Input, onnx.load(path, load_external_data=False).graph.input))
        return True

    def get_error(self, index: int) -> _Error:
        return _Error(index, ["first", ""][index])


class _Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {}

    def set_shape(self, name: str, least: tuple[int, ...], usual: tuple[int, ...], most: tuple[int, ...]) -> None:
        self.shapes[name] = least, usual, most


class _Timings:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> bytes:
        return self._data + b"measured"


class _Config:
    """Like the binding's, it takes no attribute that it does not know."""

    __slots__ = (
        "_profiles",
        "_workspace",
        "builder_optimization_level",
        "flags",
        "num_compute_capabilities",
        "profiling_verbosity",
        "progress_monitor",
    )

    def __init__(self) -> None:
        self._profiles: list[_Profile] = []
        self._workspace: int | None = None
        self.progress_monitor: Any = None
        self.builder_optimization_level = 3
        self.flags = 0

    def set_flag(self, flag: int) -> None:
        self.flags |= 1 << flag

    def set_memory_pool_limit(self, pool: int, size: int) -> None:
        assert pool == MemoryPoolType.WORKSPACE
        self._workspace = size

    def set_compute_capability(self, capability: int, index: int) -> None: ...

    def add_optimization_profile(self, profile: _Profile) -> int:
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def create_timing_cache(self, data: bytes) -> _Timings | None:
        return _Timings(data) if data in (b"", b"measured") else None

    def set_timing_cache(self, cache: _Timings, ignore_mismatch: bool) -> bool:
        return True


class Builder:
    def __init__(self, logger: Any) -> None:
        if error := _NO_CUDA.get(_DOES):
            logger.log(1, f"CUDA initialization failure with error: {error}")
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._logger = logger

    def create_network(self, flags: int) -> _Network:
        return _Network()

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> bytes | None:
        monitor = config.progress_monitor
        monitor.phase_start("Building engine", None, 2)
        if _DOES == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if _DOES == "memory":
            self._logger.log(1, "[virtualMemoryBuffer.cpp::resizePhysical::140] Error Code 2: OutOfMemory (no room)")
            return None
        if _DOES == "hang":
            Path(_WORD).write_text(str(os.getpid()))
            while monitor.step_complete("Building engine", 0):
                time.sleep(0.01)
            return None
        if _DOES == "full":
            os.fsync = _full  # type: ignore[assignment]  # without the name of its parameter
        monitor.step_complete("Building engine", 0)
        self._logger.log(4, LAYERS)
        self._logger.log(3, "Total Activation Memory: 512 bytes")
        self._logger.log(3, "Total Weights Memory: 256 bytes")
        self._logger.log(3, PEAK)
        self._logger.log(2, "a warning")
        if not config.flags & 1 << BuilderFlag.REQUIRE_USER_ALLOCATION:
            self._logger.log(2, "it will allocate as it runs")
        monitor.phase_finish("Building engine")
        shapes = [profile.shapes for profile in config._profiles]
        plan = FakePlan(
            network.graph,
            shapes,
            [4096] * len(shapes),
            version=__version__,
            workspace=config._workspace,
            level=config.builder_optimization_level,
        )
        return plan.dumps().encode()


def install(folder: Path) -> None:
    """Put the module into ``folder`` by both names; not imported, as this one is."""
    for name in ("tensorrt", "tensorrt_rtx"):
        shutil.copy(__file__, folder / f"{name}.py")


def _full(descriptor: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
