"""The arenas that ONNX Runtime's attention takes, each row of the whole context: in ordinary memory, or on a GPU.

On a GPU it goes through cuda-python (extra ``gpu``); copies never pass through the host.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import psutil

from edgekit.checkpoint.packed import Array
from edgekit.engines.arena import Arena
from edgekit.engines.kv import ArenaShape
from edgekit.errors import EngineError, MissingExtra
from edgekit.machine.room import available_memory
from edgekit.units import format_bytes


class HostArena(Arena):
    """An arena in ordinary memory, written once so that it is resident and can't run short later."""

    def __init__(self, shape: ArenaShape) -> None:
        super().__init__(shape)
        assert shape.allocated_bytes == shape.nbytes, "rows of ordinary memory need nothing beside them"
        _require_memory(shape.nbytes)
        self._tensors: list[Array] = []
        try:
            for _ in range(2 * shape.layers):
                tensor = np.empty((shape.slots, shape.kv_heads, shape.context, shape.head_dim), shape.dtype)
                tensor.fill(0)
                self._tensors.append(tensor)
        except MemoryError as error:
            raise _too_big(shape.nbytes) from error

    def pointers(self, row: int) -> list[tuple[int, int]]:
        addresses = [tensor.ctypes.data + row * self.shape.row_bytes for tensor in self._tensors]
        return list(zip(addresses[0::2], addresses[1::2], strict=True))

    def _copy_rows(self, source: int, target: int, length: int) -> None:
        for tensor in self._tensors:
            tensor[target, :, :length] = tensor[source, :, :length]

    def _swap_rows(self, a: int, b: int, length: int) -> None:
        for tensor in self._tensors:
            moved = tensor[a, :, :length].copy()
            tensor[a, :, :length] = tensor[b, :, :length]
            tensor[b, :, :length] = moved

    def close(self) -> None:
        self._tensors.clear()


def _require_memory(nbytes: int) -> None:
    """An arena is filled at once: one that the machine can't hold would end other processes, not only this one."""
    free = available_memory() or psutil.virtual_memory().available
    if nbytes > free:
        raise _too_big(nbytes)


def _too_big(nbytes: int) -> EngineError:
    return EngineError(
        f"This machine has no room for a KV arena of {format_bytes(nbytes)}",
        "End other programs, or build the bundle for fewer slots or a shorter context.",
    )


class CudaArena(Arena):
    """One device allocation per tensor, zeroed, and a spare row for swapping rows."""

    device = "cuda"

    def __init__(self, shape: ArenaShape, ordinal: int = 0) -> None:
        """The arena lies on the GPU that CUDA calls ``ordinal``."""
        super().__init__(shape)
        assert shape.spare_rows and not shape.fresh_tokens
        self._runtime, self.ordinal = _runtime(), ordinal
        self._addresses: list[int] = []
        try:
            for _ in range(2 * shape.layers):
                self._addresses.append(self._allocate(shape.slots * shape.row_bytes))
            self._spare = self._allocate(shape.spare_bytes)
        except EngineError:
            self.close()
            raise

    @property
    def _cuda(self) -> Any:
        """CUDA's calls, of the arena's GPU: each thread has one of its own that they go to, the last that anything
        chose."""
        self._check(self._runtime.cudaSetDevice(self.ordinal))
        return self._runtime

    def pointers(self, row: int) -> list[tuple[int, int]]:
        at = [address + row * self.shape.row_bytes for address in self._addresses]
        return list(zip(at[0::2], at[1::2], strict=True))

    def _copy_rows(self, source: int, target: int, length: int) -> None:
        for address in self._addresses:
            self._move(self._at(address, source), self._at(address, target), length)
        self._check(self._cuda.cudaDeviceSynchronize())

    def _swap_rows(self, a: int, b: int, length: int) -> None:
        for address in self._addresses:
            self._move(self._at(address, a), self._spare, length)
            self._move(self._at(address, b), self._at(address, a), length)
            self._move(self._spare, self._at(address, b), length)
        self._check(self._cuda.cudaDeviceSynchronize())

    def _at(self, address: int, row: int) -> int:
        return address + row * self.shape.row_bytes

    def _move(self, source: int, target: int, length: int) -> None:
        """Copy ``length`` tokens of every head: a 2-D copy, one line per head."""
        pitch = self.shape.context * self.shape.token_bytes
        width = length * self.shape.token_bytes
        if width:
            kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToDevice
            self._check(self._cuda.cudaMemcpy2D(target, pitch, source, pitch, width, self.shape.kv_heads, kind))

    def _allocate(self, size: int) -> int:
        error, address = self._cuda.cudaMalloc(size)
        if error != self._runtime.cudaError_t.cudaSuccess:
            raise EngineError(
                f"the GPU has no room for the KV arena of {format_bytes(self.shape.nbytes)}",
                "Build the bundle for fewer slots or a shorter context.",
            )
        if self._cuda.cudaMemset(address, 0, size)[0] != self._runtime.cudaError_t.cudaSuccess:
            self._free(address)
            raise EngineError("CUDA can't clear memory of the GPU", "Run `nvidia-smi` to see the state of the GPU.")
        return int(address)

    def _check(self, result: tuple[Any, ...]) -> None:
        if result[0] != self._runtime.cudaError_t.cudaSuccess:
            raise EngineError(f"CUDA failed: {result[0]!r}", "Run `nvidia-smi` to see the state of the GPU.")

    def close(self) -> None:
        for address in self._addresses:
            self._free(address)
        self._addresses.clear()
        if getattr(self, "_spare", 0):
            self._free(self._spare)
            self._spare = 0

    def _free(self, address: int) -> None:
        with suppress(EngineError):  # what is given back must not hide the error that had it given back
            self._cuda.cudaFree(address)


def _runtime() -> Any:
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise MissingExtra("Running on an NVIDIA GPU", "gpu") from error
    return runtime
