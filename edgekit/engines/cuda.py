"""The KV arena on an NVIDIA GPU, through cuda-python (extra ``gpu``); copies never pass through the host."""

from __future__ import annotations

from typing import Any

from edgekit.engines.arena import Arena, ArenaShape
from edgekit.errors import EngineError, MissingExtra
from edgekit.units import format_bytes


class CudaArena(Arena):
    """One device allocation per tensor, zeroed, and one spare slot's worth of heads for swapping rows."""

    device = "cuda"

    def __init__(self, shape: ArenaShape) -> None:
        super().__init__(shape)
        self._cuda = _runtime()
        self._addresses: list[int] = []
        try:
            for _ in range(2 * shape.layers):
                self._addresses.append(self._allocate(shape.slots * shape.row_bytes))
            self._spare = self._allocate(shape.row_bytes)
        except EngineError:
            self.close()
            raise

    @property
    def nbytes(self) -> int:
        return self.shape.nbytes + self.shape.row_bytes  # the spare one

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
            kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
            self._check(self._cuda.cudaMemcpy2D(target, pitch, source, pitch, width, self.shape.kv_heads, kind))

    def _allocate(self, size: int) -> int:
        error, address = self._cuda.cudaMalloc(size)
        if error != self._cuda.cudaError_t.cudaSuccess:
            raise EngineError(
                f"the GPU has no room for the KV arena of {format_bytes(self.shape.nbytes)}",
                "Build the bundle for fewer slots or a shorter context.",
            )
        if self._cuda.cudaMemset(address, 0, size)[0] != self._cuda.cudaError_t.cudaSuccess:
            self._cuda.cudaFree(address)
            raise EngineError("CUDA can't clear memory of the GPU", "Run `nvidia-smi` to see the state of the GPU.")
        return int(address)

    def _check(self, result: tuple[Any, ...]) -> None:
        if result[0] != self._cuda.cudaError_t.cudaSuccess:
            raise EngineError(f"CUDA failed: {result[0]!r}", "Run `nvidia-smi` to see the state of the GPU.")

    def close(self) -> None:
        for address in self._addresses:
            self._cuda.cudaFree(address)
        self._addresses.clear()
        if getattr(self, "_spare", 0):
            self._cuda.cudaFree(self._spare)
            self._spare = 0


def _runtime() -> Any:
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise MissingExtra("Running on an NVIDIA GPU", "gpu") from error
    return runtime
