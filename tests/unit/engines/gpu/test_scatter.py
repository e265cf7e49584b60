"""How new keys and values get to their places: the kernel, compiled for this processor, and copies."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgekit.engines.gpu import scatter
from edgekit.engines.gpu.arena import BucketArena
from edgekit.engines.kv import ArenaShape
from tests.simulated_tensorrt.device import FakeDevice

HOST = """
#include <string.h>
struct uint2 { unsigned x, y; };
struct uint4 { unsigned x, y, z, w; };
struct place { int x, y, z; };
static place blockIdx, blockDim, threadIdx;
#define __global__
%s
extern "C" void run(const int* grid, int block, void* fresh, void* arena, int* starts, int heads, int width, int token,
                    long long a, long long b, long long c, long long d)
{
    blockDim.x = block;
    for (blockIdx.z = 0; blockIdx.z < grid[2]; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)
                for (threadIdx.x = 0; threadIdx.x < block; threadIdx.x++)
                    keep((const UNIT*)fresh, (UNIT*)arena, starts, heads, width, token, a, b, c, d);
}
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize(("head_dim", "unit"), [(64, 16), (36, 8), (34, 4), (33, 2)])
def test_the_kernel_itself_moves_what_its_likeness_in_python_moves(head_dim: int, unit: int, tmp_path: Path) -> None:
    """CUDA C++ without shared memory is C++: each thread is one turn of a loop."""
    (tmp_path / "keep.cpp").write_text(HOST % scatter.source(unit))
    library = tmp_path / "keep.so"
    subprocess.run(["g++", "-shared", "-fPIC", "-O1", "-o", library, tmp_path / "keep.cpp"], check=True)
    run = ctypes.CDLL(str(library)).run

    class Compiled(FakeDevice):
        def launch(self, kernel: object, grid: tuple[int, int, int], block: int, arguments: object) -> None:
            assert isinstance(arguments, list)
            self.launches += 1
            reals = list(arguments)
            for index in range(3):  # addresses of this process in place of made-up ones
                made_up = arguments[index].value
                start = max(start for start in self.memory if start <= made_up)
                reals[index] = ctypes.c_void_p(self.memory[start].ctypes.data + made_up - start)
            run((ctypes.c_int * 3)(*grid), block, *reals)

    shape = ArenaShape(layers=2, slots=3, kv_heads=2, context=512, head_dim=head_dim, dtype="float16", spare_rows=1)
    found = []
    for device in (Compiled(), FakeDevice(), FakeDevice(compiles=False)):
        arena = BucketArena(shape, device)
        writer = scatter.ArenaWriter(device, arena)
        assert writer.by_kernel == device.compiles
        fresh = device.allocate(4 * 8192, "new keys")
        starts = device.allocate(8, "starts")
        device.at(fresh, 4 * 8192).view(np.uint16)[:] = np.arange(4 * 4096)
        device.at(starts, 8).view(np.int32)[:] = [200, 3]
        device.synchronize()
        writer.write(scatter.Fresh(fresh, 8192, starts), 1, [200, 3], 5)
        writer.write(scatter.Fresh(fresh, 8192, starts), 0, [200], 20)
        device.synchronize()
        assert device.launches == (2 if device.compiles else 0)
        found.append(device.at(arena.address, shape.nbytes).copy())
    assert found[0].any()
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
