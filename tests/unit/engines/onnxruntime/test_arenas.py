"""Arenas in ordinary memory and, by a CUDA made up of it, on a GPU: the same bytes at the same places."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgekit.engines.arena import Arena
from edgekit.engines.kv import ArenaShape
from edgekit.engines.onnxruntime import arenas
from edgekit.engines.onnxruntime.arenas import CudaArena, HostArena
from edgekit.errors import EngineError, MissingExtra

SLOTS, CONTEXT = 4, 8
SHAPE = ArenaShape(layers=2, slots=SLOTS, kv_heads=2, context=CONTEXT, head_dim=3, dtype="float32")
SPARED = replace(SHAPE, spare_rows=1)


def test_addresses_step_by_whole_rows_and_the_size_is_what_is_allocated() -> None:
    arena = HostArena(SHAPE)
    (first, _), (third, _) = arena.pointers(0)[0], arena.pointers(2)[0]
    assert third - first == 2 * SHAPE.row_bytes
    assert SHAPE.nbytes == sum(tensor.nbytes for tensor in arena._tensors)


def test_an_arena_that_the_machine_cannot_hold_is_refused_before_it_is_filled() -> None:
    with pytest.raises(EngineError, match="no room for a KV arena"):
        HostArena(replace(SHAPE, context=2**40))


class FakeCuda:
    """CUDA's runtime with ordinary memory for a GPU's; ``room``: how many allocations it gives."""

    class cudaError_t:
        cudaSuccess = 0

    class cudaMemcpyKind:
        cudaMemcpyDeviceToDevice = 3

    def __init__(self, room: int = 99) -> None:
        self.room, self.ordinals = room, set[int]()
        self.blocks: dict[int, Any] = {}

    def cudaSetDevice(self, ordinal: int) -> tuple[int]:
        self.ordinals.add(ordinal)
        return (0,)

    def cudaMalloc(self, size: int) -> tuple[int, int]:
        if len(self.blocks) == self.room:
            return 2, 0
        block = (ctypes.c_ubyte * size)(*[7] * size)
        self.blocks[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def cudaMemset(self, address: int, value: int, size: int) -> tuple[int]:
        ctypes.memset(address, value, size)
        return (0,)

    def cudaMemcpy2D(
        self, target: int, target_pitch: int, source: int, source_pitch: int, width: int, height: int, kind: int
    ) -> tuple[int]:
        for line in range(height):
            ctypes.memmove(target + line * target_pitch, source + line * source_pitch, width)
        return (0,)

    def cudaDeviceSynchronize(self) -> tuple[int]:
        return (0,)

    def cudaFree(self, address: int) -> tuple[int]:
        del self.blocks[address]
        return (0,)


def bytes_of(arena: Arena) -> list[bytes]:
    row_bytes = SHAPE.row_bytes
    return [
        ctypes.string_at(address, row_bytes)
        for slot in range(SLOTS)
        for pair in arena.pointers(arena.row(slot))
        for address in pair
    ]


def write(arena: Arena, slot: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for pair in arena.pointers(arena.row(slot)):
        for address in pair:
            for head in range(SHAPE.kv_heads):
                data = rng.bytes(length * SHAPE.token_bytes)
                ctypes.memmove(address + head * SHAPE.context * SHAPE.token_bytes, data, len(data))
    arena.lengths[slot] = length


@pytest.mark.parametrize("ordinal", [0, 1])
def test_a_gpu_s_arena_does_what_one_in_ordinary_memory_does(ordinal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    monkeypatch.setattr(arenas, "_runtime", lambda: cuda)
    host, device = HostArena(SHAPE), CudaArena(SPARED, ordinal)
    assert device.nbytes == SPARED.allocated_bytes == sum(map(len, cuda.blocks.values()))
    for arena in (host, device):
        for slot, length in enumerate((3, 8, 1, 5)):
            write(arena, slot, length, slot)
        arena.copy(1, 0, 6)
        arena.lead([3, 1])
        arena.copy(3, 2, 0)
        arena.lead([0, 2, 3])
    assert [host.row(slot) for slot in range(SLOTS)] == [device.row(slot) for slot in range(SLOTS)]
    assert bytes_of(host) == bytes_of(device)
    assert cuda.ordinals == {ordinal}
    device.close()
    assert not cuda.blocks


@pytest.mark.parametrize("room", range(2 * 2 + 1))
def test_a_gpu_without_room_gives_back_what_it_gave(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda(room)
    monkeypatch.setattr(arenas, "_runtime", lambda: cuda)
    with pytest.raises(EngineError, match="the GPU has no room for the KV arena"):
        CudaArena(SPARED)
    assert not cuda.blocks


def test_a_gpu_s_arena_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(MissingExtra, match="the extra 'gpu'"):
        CudaArena(SPARED)
