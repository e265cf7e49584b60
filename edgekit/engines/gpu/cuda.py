"""The GPU, through cuda-python (12 and 13); nothing else of the TensorRT engine speaks CUDA."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from edgekit.engines.gpu.device import Grid, Lines, Pinned
from edgekit.errors import EngineError, MissingExtra
from edgekit.units import format_bytes

_log = logging.getLogger(__name__)
_NOT_CAPTURED = "A step can't be captured, and is queued anew each time"
_LOOK = "Run `nvidia-smi` to see the state of the GPU."


class CudaDevice:
    """The GPU that CUDA calls ``ordinal``. ``extra`` brings cuda-python, for the message where it is missing."""

    def __init__(self, extra: str, ordinal: int = 0) -> None:
        try:
            from cuda.bindings import driver, nvrtc, runtime
        except ImportError as error:
            raise MissingExtra("Running on an NVIDIA GPU", extra) from error
        self._driver, self._nvrtc, self._runtime, self._extra = driver, nvrtc, runtime, extra
        self._ordinal = ordinal
        self._modules: list[Any] = []
        self._stream: Any = None
        self._do(self._cuda.cudaFree(0))  # makes the context that the driver's calls need, too
        self._stream = self._do(self._cuda.cudaStreamCreateWithFlags(self._runtime.cudaStreamNonBlocking))

    @property
    def _cuda(self) -> Any:
        """CUDA's calls, of this GPU."""
        self._enter()
        return self._runtime

    def _enter(self) -> None:
        """Make this GPU, and its context, the thread's: calls go to the last that anything in it chose."""
        self._do(self._runtime.cudaSetDevice(self._ordinal))

    @property
    def stream(self) -> int:
        return int(self._stream)

    def allocate(self, size: int, purpose: str) -> int:
        result = self._cuda.cudaMalloc(max(size, 1))
        if result[0] == self._runtime.cudaError_t.cudaErrorMemoryAllocation:
            raise self._no_room(size, purpose)
        return int(self._do(result))

    def free(self, address: int) -> None:
        with suppress(EngineError):  # what is given back must not hide the error that had it given back
            self._cuda.cudaFree(address)

    def pin(self, size: int) -> Pinned:
        result = self._cuda.cudaMallocHost(max(size, 1))
        if result[0] == self._runtime.cudaError_t.cudaErrorMemoryAllocation:
            raise EngineError(f"This machine has no {format_bytes(size)} to pin for copies", "End other programs.")
        address = int(self._do(result))
        return Pinned(address, np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address)))

    def unpin(self, memory: Pinned) -> None:
        with suppress(EngineError):
            self._cuda.cudaFreeHost(memory.address)

    def upload(self, target: int, source: int, size: int) -> None:
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._do(self._cuda.cudaMemcpyAsync(target, source, size, kind, self._stream))

    def download(self, target: int, source: int, size: int) -> None:
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._do(self._cuda.cudaMemcpyAsync(target, source, size, kind, self._stream))

    def copy_lines(self, target: Lines, source: Lines, width: int, count: int) -> None:
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        self._do(
            self._cuda.cudaMemcpy2DAsync(
                target.address, target.pitch, source.address, source.pitch, width, count, kind, self._stream
            )
        )

    def clear_lines(self, target: Lines, width: int, count: int) -> None:
        self._do(self._cuda.cudaMemset2DAsync(target.address, target.pitch, 0, width, count, self._stream))

    def compile(self, source: str, name: str) -> Any:
        try:
            return self._compile(source, name)
        except Exception as error:  # a library that is not there, or older than the GPU: each its own class
            reason = str(error).partition("\n")[0]
            _log.warning("NVRTC can't compile for this GPU: %s. Keys and values are written by copies.", reason)
            return None

    def _compile(self, source: str, name: str) -> Any:
        module = self._do(self._driver.cuModuleLoadData(cubin(self._nvrtc, source, name, self._capability())))
        self._modules.append(module)
        return self._do(self._driver.cuModuleGetFunction(module, name.encode()))

    def _capability(self) -> str:
        attributes, device = self._runtime.cudaDeviceAttr, self._do(self._cuda.cudaGetDevice())
        wanted = attributes.cudaDevAttrComputeCapabilityMajor, attributes.cudaDevAttrComputeCapabilityMinor
        return "".join(str(self._do(self._cuda.cudaDeviceGetAttribute(one, device))) for one in wanted)

    def launch(self, kernel: Any, grid: Grid, block: int, arguments: Sequence[ctypes._SimpleCData[Any]]) -> None:
        values = tuple(argument.value for argument in arguments), tuple(type(argument) for argument in arguments)
        stream = self._driver.CUstream(self.stream)
        self._enter()
        self._do(self._driver.cuLaunchKernel(kernel, *grid, block, 1, 1, 0, stream, values, 0))

    def capture(self, work: Callable[[], None]) -> Any:
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal  # other threads may allocate
        self._do(self._cuda.cudaStreamBeginCapture(self._stream, mode))
        graph = None
        try:
            try:
                work()
            finally:
                graph = self._end_capture()
            return None if graph is None else self._ready(graph)
        except EngineError as error:
            _log.info("%s: %s", _NOT_CAPTURED, error.message)
            return None
        finally:
            if graph is not None:
                with suppress(EngineError):
                    self._cuda.cudaGraphDestroy(graph)

    def _ready(self, graph: Any) -> Any:
        """What it takes of the GPU's memory is taken here: a replay must not fail for want of it."""
        executable = self._do(self._cuda.cudaGraphInstantiate(graph, 0))
        try:
            self._do(self._cuda.cudaGraphUpload(executable, self._stream))
            self.synchronize()
        except EngineError:
            self.drop(executable)
            raise
        return executable

    def _end_capture(self) -> Any:
        """The graph; None where something was queued that can't be captured, which the stream forgets by this."""
        status, graph = self._cuda.cudaStreamEndCapture(self._stream)
        if int(status) == 0:
            return graph
        self._cuda.cudaGetLastError()  # else the next call that asks for the last error would find it
        _log.info("%s: %s", _NOT_CAPTURED, getattr(status, "name", status))
        return None

    def replay(self, graph: Any) -> None:
        self._do(self._cuda.cudaGraphLaunch(graph, self._stream))

    def drop(self, graph: Any) -> None:
        with suppress(EngineError):
            self._cuda.cudaGraphExecDestroy(graph)

    def synchronize(self) -> None:
        self._do(self._cuda.cudaStreamSynchronize(self._stream))

    def close(self) -> None:
        modules, stream = self._modules, self._stream
        self._modules, self._stream = [], None
        if stream is None:
            return
        with suppress(EngineError):
            self._enter()
            for module in modules:
                self._driver.cuModuleUnload(module)
            self._runtime.cudaStreamDestroy(stream)

    def _do(self, result: tuple[Any, ...]) -> Any:
        """What a call gave beside its status; :class:`EngineError` where that is not success."""
        status, *rest = result
        if int(status) == 0:  # cudaSuccess, CUDA_SUCCESS
            return rest[0] if rest else None
        raise self._failed(status)

    def _failed(self, status: Any) -> EngineError:
        codes = self._runtime.cudaError_t
        if status == codes.cudaErrorNoDevice:
            return EngineError("This machine has no NVIDIA GPU that CUDA can use", _LOOK)
        if status == codes.cudaErrorInsufficientDriver:
            return self._old_driver()
        if status == codes.cudaErrorMemoryAllocation:
            return EngineError("The GPU has run out of memory", "End other programs that use it.")
        name = getattr(status, "name", str(status))
        return EngineError(f"CUDA failed: {name}", f"{_LOOK} If it happens again, start the program anew.")

    def _old_driver(self) -> EngineError:
        """CUDA gives one and the same code for an old driver and for none at all."""
        has, needs = (call()[1] for call in (self._runtime.cudaDriverGetVersion, self._runtime.cudaRuntimeGetVersion))
        needed = f"{needs // 1000}.{needs % 1000 // 10}"
        if not has:
            return EngineError("This machine has no NVIDIA driver", f"Install one that can run CUDA {needed}.")
        runs = f"{has // 1000}.{has % 1000 // 10}"
        return EngineError(
            f"The NVIDIA driver is too old: it can run CUDA {runs}, and {needed} is installed",
            _mend(self._extra, has // 1000, needs // 1000),
        )

    def _no_room(self, size: int, purpose: str) -> EngineError:
        status, *memory = self._cuda.cudaMemGetInfo()
        free = f"; {format_bytes(memory[0])} are free" if int(status) == 0 else ""
        return EngineError(
            f"The GPU has no room for {purpose} of {format_bytes(size)}{free}",
            "End other programs that use it, or build the bundle for fewer slots or a shorter context.",
        )


def _mend(extra: str, has: int, needs: int) -> str:
    """What to do about a driver of CUDA ``has`` under a cuda-python of CUDA ``needs``, both majors.

    A driver runs what is of its own major, so an older cuda-python does where TensorRT is no newer. On a Jetson nothing
    else does, since its driver comes with its system; TensorRT-RTX is itself too new.
    """
    newer = f"Install one that runs CUDA {needs}{': 580 or newer.' if needs == 13 else '.'}"  # CUDA's release notes
    if has < 12:  # EdgeKit knows no cuda-python as old as that
        return "Flash JetPack 6 or newer." if extra == "jetson" else newer
    older = f"pip install 'cuda-python=={has}.*'"
    if extra == "jetson":
        return f"Run: {older}" if has < needs else "Flash a newer JetPack."
    return newer if extra == "rtx" or has == needs else f"{newer} If TensorRT is for CUDA {has}: {older}"


def cubin(nvrtc: Any, source: str, name: str, capability: str) -> bytes:
    """Return machine code of ``source`` for GPUs of a compute capability ("86"). Not PTX: that could be newer than the
    driver can read. :class:`EngineError` where it can't be compiled, and whatever cuda-python raises without NVRTC."""
    program = _nvrtc_do(nvrtc.nvrtcCreateProgram(source.encode(), name.encode(), 0, [], []))
    try:
        _nvrtc_do(nvrtc.nvrtcCompileProgram(program, 1, [f"--gpu-architecture=sm_{capability}".encode()]))
        image = bytes(_nvrtc_do(nvrtc.nvrtcGetCUBINSize(program)))
        _nvrtc_do(nvrtc.nvrtcGetCUBIN(program, image))
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return image


def _nvrtc_do(result: tuple[Any, ...]) -> Any:
    status, *rest = result
    if int(status) != 0:  # NVRTC_SUCCESS
        raise EngineError(f"NVRTC failed: {getattr(status, 'name', status)}")
    return rest[0] if rest else None
