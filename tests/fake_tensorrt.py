"""A module with TensorRT's names that builds nothing: to be found by a child under a name of TensorRT's.

The environment variable FAKE_TENSORRT says what it does: "version V", "import", "parser", "killed", "memory", "hang",
"full", "constructor".
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

_DOES, _, _WORD = os.environ.get("FAKE_TENSORRT", "").partition(" ")
__version__ = _WORD if _DOES == "version" else "10.3.0"
if _DOES == "import":
    raise ImportError("libnvinfer.so.10: cannot open shared object file")
LAYERS = (
    "Layers:\nName: _gemm_mha_v2_myl0_13, LayerType: kgen, Inputs: []\nName: __mye1_myl0_2, LayerType: wait, Inputs: []"
)


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
    name, shape = "x", (-1, 8)


class _Network:
    num_inputs = 1

    def get_input(self, index: int) -> _Input:
        return _Input()


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

    def __init__(self, network: _Network, logger: Any) -> None: ...

    def parse_from_file(self, path: str) -> bool:
        return _DOES != "parser"

    def get_error(self, index: int) -> _Error:
        return _Error(index, ["first", ""][index])


class _Profile:
    def set_shape(self, *_: object) -> None: ...


class _Timings:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> bytes:
        return self._data + b"measured"


class _Config:
    progress_monitor: Any
    flags = 0

    def set_flag(self, flag: int) -> None:
        self.flags |= 1 << flag

    def set_memory_pool_limit(self, pool: int, size: int) -> None: ...

    def set_compute_capability(self, capability: int, index: int) -> None: ...

    def add_optimization_profile(self, profile: _Profile) -> int:
        return 0

    def create_timing_cache(self, data: bytes) -> _Timings | None:
        return _Timings(data) if data in (b"", b"measured") else None

    def set_timing_cache(self, cache: _Timings, ignore_mismatch: bool) -> bool:
        return True


class Builder:
    def __init__(self, logger: Any) -> None:
        if _DOES == "constructor":
            logger.log(1, "CUDA initialization failure with error: 35: CUDA driver version is insufficient")
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
        self._logger.log(2, "a warning")
        if not config.flags & 1 << BuilderFlag.REQUIRE_USER_ALLOCATION:
            self._logger.log(2, "it will allocate as it runs")
        monitor.phase_finish("Building engine")
        return b"a plan"


def _full(descriptor: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
