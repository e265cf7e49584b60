"""The TensorRT engine's arena on an NVIDIA GPU with cuda-python against the simulated one: every byte alike.

It needs no TensorRT. The kernel is compiled by NVRTC for the GPU that is there, and copies must do the same.
cuda-python brings no NVRTC: it comes with CUDA's toolkit, or as a package of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.engines.gpu.arena import BucketArena
from edgekit.engines.gpu.buffers import Buffer
from edgekit.engines.gpu.cuda import CudaDevice
from edgekit.engines.gpu.device import Device, Lines
from edgekit.engines.gpu.scatter import KERNEL, ArenaWriter, Fresh, source
from edgekit.engines.kv import ArenaShape
from tests.simulated_tensorrt.device import FakeDevice

pytestmark = [pytest.mark.device, pytest.mark.usefixtures("gpu"), pytest.mark.filterwarnings("default")]

SHAPE = ArenaShape(layers=3, slots=3, kv_heads=2, context=600, head_dim=64, dtype="float16", spare_rows=1)
TOKENS = 300  # the most that are written at once


def life_of_an_arena(device: Device, *, by_kernel: bool) -> list[npt.NDArray[np.uint16]]:
    """The arena's memory after each of some steps: writing, growing, copying, swapping, shrinking, washing."""
    arena = BucketArena(SHAPE, device)
    writer = ArenaWriter(device, arena)
    if not by_kernel:
        writer._kernel = None
    assert writer.by_kernel == by_kernel
    tensors, token = 2 * SHAPE.layers, SHAPE.kv_heads * SHAPE.head_dim
    fresh = Buffer(device, tensors * SHAPE.slots * TOKENS * token, "uint16", "new keys and values")
    lengths = Buffer(device, SHAPE.slots, "int32", "lengths")
    whole = Buffer(device, SHAPE.nbytes // 2, "uint16", "what the arena holds")
    seen, seed = [], 0

    def write(row: int, starts: list[int], length: int) -> None:
        nonlocal seed
        seed += 1
        device.synchronize()
        fresh.send(np.random.default_rng(seed).integers(0, 1 << 15, tensors * SHAPE.slots * TOKENS * token, np.uint16))
        lengths.send(np.array(starts, np.int32))
        tensor_bytes = SHAPE.slots * TOKENS * token * 2
        writer.write(Fresh(fresh.address, tensor_bytes, lengths.address), row, starts, length)
        for index, start in enumerate(starts):
            arena.lengths[arena.slot_at(row + index)] = start + length

    def look() -> None:
        used = tensors * arena.tensor_bytes // 2  # what lies behind is of an older layout, in part
        seen.append(read(used))

    def read(count: int) -> npt.NDArray[np.uint16]:
        address, whole.address = whole.address, arena.address
        try:
            return whole.fetch(count)
        finally:
            whole.address = address

    write(1, [0], 200)
    write(0, [0], 3)
    look()
    arena.make_room(500)
    look()
    write(0, [3, 200], 1)
    write(1, [201], TOKENS)
    arena.make_room(550)
    look()
    arena.copy(1, 2, 450)
    arena.lead([2])
    look()
    arena.lengths[1] = arena.lengths[2] = 40
    arena.make_room(41, shrink=True)
    arena.wash(0)
    look()
    for buffer in (fresh, lengths, whole):
        buffer.close()
    arena.close()
    return seen


@pytest.mark.parametrize("by_kernel", [True, False])
def test_the_gpu_does_what_the_simulated_one_does(*, by_kernel: bool) -> None:
    device = CudaDevice("tensorrt")
    try:
        if by_kernel and device.compile(source(16), KERNEL) is None:
            pytest.skip("NVRTC does not compile for this GPU: pip's nvidia-cuda-nvrtc, of the driver's CUDA, may.")
        found = life_of_an_arena(device, by_kernel=by_kernel)
        for one, other in zip(found, life_of_an_arena(FakeDevice(), by_kernel=True), strict=True):
            np.testing.assert_array_equal(one, other)
    finally:
        device.close()


def test_captured_work_is_done_at_each_replay_and_not_before() -> None:
    device = CudaDevice("tensorrt")
    try:
        sent, seen = (Buffer(device, 64, "int32", "numbers") for _ in range(2))

        def work() -> None:
            sent.upload(64)
            device.copy_lines(Lines(seen.address, 128), Lines(sent.address, 128), 128, 2)
            seen.download(64)

        seen.send(np.zeros(64, np.int32))
        seen.fetch(64)
        graph = device.capture(work)
        assert graph is not None
        for number in (1, 2):
            sent.fill(np.full(64, number, np.int32))
            assert seen.read(64)[0] == number - 1
            device.replay(graph)
            np.testing.assert_array_equal(seen.read(64), np.full(64, number))
        device.drop(graph)
        assert device.capture(device.synchronize) is None  # which a capture forbids
        sent.fill(np.full(64, 3, np.int32))
        work()
        assert seen.read(64)[0] == 3
        sent.close()
        seen.close()
    finally:
        device.close()


def test_memory_comes_back() -> None:
    device = CudaDevice("tensorrt")
    try:
        before = device._cuda.cudaMemGetInfo()[1]
        arena = BucketArena(replace(SHAPE, layers=32, slots=4, kv_heads=8, context=2048, head_dim=128), device)
        assert device._cuda.cudaMemGetInfo()[1] <= before - arena.nbytes
        arena.close()
        assert device._cuda.cudaMemGetInfo()[1] == before
    finally:
        device.close()
