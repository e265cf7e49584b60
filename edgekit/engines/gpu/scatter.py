"""New keys and values to their places behind each row's tokens: one kernel over all layers, or copies.

They come out of a decoder's call as tensors ``[rows, kv_heads, length, head_dim]``, a layer's keys, its values, the
next layer's keys, at equal distances in one buffer. The kernel is compiled when the engine starts; where NVRTC is
missing, 2-D copies do the same, one for each tensor and row: hundreds of them for a token of a large model.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.engines.gpu.arena import BucketArena
from edgekit.engines.gpu.device import Device, Lines

KERNEL = "keep"
_THREADS = 256
_UNITS = {16: "uint4", 8: "uint2", 4: "unsigned int", 2: "unsigned short"}

SOURCE = """
// One thread moves one unit. x: units of a head's new tokens; y: row and head; z: tensor. Distances are in units.
extern "C" __global__ void keep(
    const UNIT* fresh, UNIT* arena, const int* starts, int heads, int width, int token,
    long long fresh_tensor, long long arena_tensor, long long arena_row, long long arena_head)
{
    const int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= width)
        return;
    const int row = blockIdx.y / heads, head = blockIdx.y % heads;
    const UNIT* source = fresh + blockIdx.z * fresh_tensor + (long long)blockIdx.y * width;
    UNIT* target = arena + blockIdx.z * arena_tensor + row * arena_row + head * arena_head;
    target[(long long)starts[row] * token + at] = source[at];
}
"""


@dataclass(frozen=True)
class Fresh:
    """Where new keys and values lie: ``tensor_bytes`` from one tensor to the next. ``starts`` is the address of an
    int32 for each row on the GPU: its tokens so far."""

    address: int
    tensor_bytes: int
    starts: int


class ArenaWriter:
    """Writes into ``arena`` by the kernel where it can be compiled; ``by_kernel`` says whether."""

    def __init__(self, device: Device, arena: BucketArena) -> None:
        self._device, self._arena = device, arena
        self._unit = next(size for size in _UNITS if arena.shape.token_bytes % size == 0)
        self._kernel: Any = device.compile(source(self._unit), KERNEL)

    @property
    def by_kernel(self) -> bool:
        return self._kernel is not None

    def write(self, fresh: Fresh, row: int, starts: Sequence[int], length: int) -> None:
        """Write ``length`` new tokens for each of the rows from ``row`` on, behind the ``starts`` that they hold."""
        if self._kernel is not None:
            self._launch(fresh, row, len(starts), length)
        else:
            self._copy(fresh, row, starts, length)

    def _launch(self, fresh: Fresh, row: int, rows: int, length: int) -> None:
        arena, shape = self._arena, self._arena.shape
        width = length * shape.token_bytes // self._unit
        block = min(_THREADS, -(-width // 32) * 32)
        distances = fresh.tensor_bytes, arena.tensor_bytes, arena.row_bytes, arena.head_bytes
        self._device.launch(
            self._kernel,
            (-(-width // block), rows * shape.kv_heads, 2 * shape.layers),
            block,
            [
                *map(ctypes.c_void_p, (fresh.address, arena.address + row * arena.row_bytes, fresh.starts)),
                *map(ctypes.c_int, (shape.kv_heads, width, shape.token_bytes // self._unit)),
                *(ctypes.c_longlong(distance // self._unit) for distance in distances),
            ],
        )

    def _copy(self, fresh: Fresh, row: int, starts: Sequence[int], length: int) -> None:
        arena, shape = self._arena, self._arena.shape
        width = length * shape.token_bytes
        for tensor in range(2 * shape.layers):
            for index, start in enumerate(starts):
                source = fresh.address + tensor * fresh.tensor_bytes + index * shape.kv_heads * width
                target = arena.address + tensor * arena.tensor_bytes + (row + index) * arena.row_bytes
                target += start * shape.token_bytes
                self._device.copy_lines(Lines(target, arena.head_bytes), Lines(source, width), width, shape.kv_heads)


def source(unit: int) -> str:
    """Return the kernel for units of so many bytes."""
    return f"#define UNIT {_UNITS[unit]}\n{SOURCE}"
