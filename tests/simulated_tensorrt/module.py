"""TensorRT's Python API for tests: the module ``tensorrt`` (or ``tensorrt_rtx``), running graphs by ONNX Runtime.

It refuses what TensorRT refuses, and in its way: a line in the log, and False or None.
"""

from __future__ import annotations

import enum
import gc
import json
import weakref
from dataclasses import fields
from functools import cache
from typing import Any, Literal

import numpy as np
import onnxruntime

from tests.simulated_tensorrt.context import Context
from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.plan import GPU, VERSION, FakePlan
from tests.simulated_tensorrt.rtx import RuntimeConfig


class _Severity(enum.IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3


class _Logger:
    """To be subclassed; like the binding's, it must be started by name."""

    Severity = _Severity

    def __init__(self) -> None:
        self.started = True

    def log(self, severity: _Severity, message: str) -> None:
        raise NotImplementedError


class DataType(enum.Enum):
    FLOAT = "tensor(float)"
    HALF = "tensor(float16)"
    INT32 = "tensor(int32)"
    INT64 = "tensor(int64)"


class TensorLocation(enum.Enum):
    DEVICE = 0
    HOST = 1


class ExecutionContextAllocationStrategy(enum.Enum):
    STATIC = 0
    ON_PROFILE_CHANGE = 1
    USER_MANAGED = 2


class CudaGraphStrategy(enum.Enum):
    DISABLED = 0
    WHOLE_GRAPH_CAPTURE = 1


DTYPES: dict[DataType, Any] = {
    DataType.FLOAT: np.float32,
    DataType.HALF: np.float16,
    DataType.INT32: np.int32,
    DataType.INT64: np.int64,
}


class FakeTensorRt:
    """The module, over a device. ``configs``: it has runtime configs, as TensorRT-RTX and newer TensorRT do."""

    ILogger, DataType, TensorLocation = _Logger, DataType, TensorLocation
    ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy

    def __init__(
        self,
        device: FakeDevice,
        name: Literal["tensorrt", "tensorrt_rtx"] = "tensorrt",
        version: str = VERSION,
        *,
        configs: bool = False,
    ) -> None:
        self.__name__, self.__version__ = name, version
        self.device, self.configs = device, configs or name == "tensorrt_rtx"
        if name == "tensorrt_rtx":
            self.CudaGraphStrategy = CudaGraphStrategy
        self.compiled: list[str] = []
        self.captured: list[str] = []  # plans that TensorRT-RTX was asked to capture the runs of
        self.complaints: list[str] = []
        self._engines: weakref.WeakSet[Engine] = weakref.WeakSet()

    def Runtime(self, logger: _Logger) -> Runtime:
        assert logger.started
        return Runtime(self, logger)

    @property
    def alive(self) -> int:
        """Engines that somebody still holds."""
        gc.collect()
        return len(self._engines)

    def opened(self, engine: Engine) -> None:
        self._engines.add(engine)


class Runtime:
    def __init__(self, module: FakeTensorRt, logger: _Logger) -> None:
        self._module, self._logger = module, logger

    def deserialize_cuda_engine(self, plan: Any) -> Engine | None:
        try:
            said = json.loads(bytes(memoryview(plan)))
            found = FakePlan(**{field.name: said[field.name] for field in fields(FakePlan)})
        except (ValueError, KeyError):
            self._complain("Serialization assertion header.magicTag == kEXPECTED_MAGIC_TAG failed.")
            return None
        if found.version != self._module.__version__:
            self._complain(f"Version tag does not match: {found.version}, current {self._module.__version__}.")
        elif found.gpu != GPU:
            self._complain(f"The engine was made for {found.gpu}, this GPU is {GPU}.")
        elif found.weights > self._module.device.room:
            self._complain(f"Requested size was {found.weights} bytes: OutOfMemory (no further information)")
        else:
            return Engine(self._module, self._logger, found)
        return None

    def _complain(self, why: str) -> None:
        self._logger.log(_Severity.ERROR, f"IRuntime::deserializeCudaEngine: Error Code 1: {why}")
        self._logger.log(_Severity.ERROR, "something that follows from it")


class Engine:
    def __init__(self, module: FakeTensorRt, logger: _Logger, plan: FakePlan) -> None:
        module.opened(self)
        self.module, self.logger, self.plan = module, logger, plan
        self.session = _session(plan.graph)
        self.inputs = {value.name: value for value in self.session.get_inputs()}
        self.outputs = {value.name: value for value in self.session.get_outputs()}
        self._names: list[str] = [*self.inputs, *self.outputs]
        self.contexts: weakref.WeakSet[Context] = weakref.WeakSet()
        if module.configs:
            self.create_runtime_config = lambda: RuntimeConfig(module)

    num_io_tensors = property(lambda self: len(self._names))
    num_optimization_profiles = property(lambda self: len(self.plan.profiles))
    device_memory_size_v2 = property(lambda self: max(self.plan.scratch))

    def get_tensor_name(self, index: int) -> str:
        return self._names[index]

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType((self.inputs | self.outputs)[name].type)

    def get_tensor_shape(self, name: str) -> list[int]:
        return [-1 if isinstance(dim, str) else dim for dim in (self.inputs | self.outputs)[name].shape]

    def get_tensor_location(self, name: str) -> TensorLocation:
        return TensorLocation.HOST if name in self.plan.on_host else TensorLocation.DEVICE

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        return list(self.plan.profiles[profile][name])

    def create_execution_context(self, strategy: Any = None, runtime_config: Any = None) -> Context:
        if runtime_config is not None:
            strategy = runtime_config.strategy
            runtime_config._compile(self.plan)
            if runtime_config.cuda_graph_strategy is CudaGraphStrategy.WHOLE_GRAPH_CAPTURE:
                self.module.captured.append(self.plan.graph.rpartition("/")[2])
        assert strategy is ExecutionContextAllocationStrategy.USER_MANAGED, "memory that nobody planned for"

        def complain(message: str) -> None:
            self.module.complaints.append(message)
            self.logger.log(_Severity.ERROR, message)

        context = Context(self, complain, DTYPES)
        self.contexts.add(context)
        return context


@cache
def _session(graph: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # DequantizeLinear and MatMul become one kernel, which else rounds activations to int8: TensorRT's does not.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
