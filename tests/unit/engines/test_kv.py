"""The arena's size against published arithmetic, and against what engines allocate, plans count and Python adds up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from edgekit.engines.arena import Arena
from edgekit.engines.gpu.arena import BucketArena
from edgekit.engines.kv import ArenaShape, arena_shape, paired
from edgekit.engines.onnxruntime import arenas
from edgekit.engines.onnxruntime.arenas import CudaArena, HostArena
from edgekit.plan import plan
from edgekit.recipe import Cache, recipe
from edgekit.target import target
from edgekit.target.kinds import KINDS, PROCESSOR, kind_of
from tests.simulated_tensorrt.device import FakeDevice
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA

DECODER = TINYLLAVA.spec.decoder


class FakeCuda:
    """Of CUDA's runtime what an arena calls, adding up what it gives out."""

    cudaError_t = SimpleNamespace(cudaSuccess=0)  # CUDA's own names

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def cudaSetDevice(self, ordinal: int) -> tuple[int]:
        return (0,)

    def cudaMalloc(self, size: int) -> tuple[int, int]:
        self.held[len(self.held) + 1] = size
        return 0, len(self.held)

    def cudaMemset(self, address: int, value: int, size: int) -> tuple[int]:
        return (0,)

    def cudaFree(self, address: int) -> tuple[int]:
        self.held[address] = 0
        return (0,)


def allocated(kind: str, shape: ArenaShape, monkeypatch: pytest.MonkeyPatch) -> tuple[Arena, int]:
    """The arena that a kind's engine takes, and the bytes that it took for it."""
    if kind == PROCESSOR:
        host = HostArena(shape)
        return host, sum(tensor.nbytes for tensor in host._tensors)
    if kind == "onnxruntime-cuda":
        cuda = FakeCuda()
        monkeypatch.setattr(arenas, "_runtime", lambda: cuda)
        return CudaArena(shape), sum(cuda.held.values())
    device = FakeDevice()
    return BucketArena(shape, device), sum(memory.size for memory in device.memory.values())


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_allocates_what_is_planned_for_it(name: str, slots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = replace(target("rtx3050"), engine=name, slots=slots, context=1024)
    planned = plan(TINYLLAVA, shown, recipe("q8")).components["kv_arena"]
    kind = KINDS[name]
    shape = arena_shape(DECODER, kind, "activations", slots, 1024, kind.chunk)
    arena, held = allocated(name, shape, monkeypatch)
    assert arena.nbytes == held == planned
    arena.close()


def test_the_cache_of_a_token_is_the_published_one() -> None:
    """LLaVA-Med keeps 131,072 bytes for a token in fp16, TinyLLaVA 22,528."""
    kind = kind_of("onnxruntime-cuda")
    assert arena_shape(LLAVA_MED.spec.decoder, kind, "activations", 1, 1, 1).nbytes == 131_072
    assert arena_shape(DECODER, kind, "activations", 1, 1, 1).nbytes == 22_528


@pytest.mark.parametrize(("slots", "rows"), [(1, 1), (2, 2), (3, 4), (8, 8)])
@pytest.mark.parametrize(("cache", "width"), [("activations", 4), ("int8", 1)])
def test_the_arena_is_planned_as_it_is_allocated(slots: int, rows: int, cache: Cache, width: int) -> None:
    assert paired(slots) == rows
    shape = arena_shape(DECODER, kind_of(PROCESSOR), cache, slots, 100, 128)
    arena = HostArena(shape)
    held = sum(tensor.nbytes for tensor in arena._tensors)
    arena.close()
    by_hand = 2 * DECODER.layers * rows * DECODER.kv_heads * 100 * DECODER.head_dim * width
    assert shape.allocated_bytes == shape.nbytes == held == by_hand


@pytest.mark.parametrize("name", KINDS)
def test_rows_come_in_pairs_where_kernels_take_them_so(name: str) -> None:
    kind = KINDS[name]
    assert arena_shape(DECODER, kind, "activations", 3, 100, 128).slots == (4 if kind.paired_rows else 3)


@pytest.mark.parametrize(("slots", "chunk", "tokens"), [(3, 512, 512), (600, 512, 600), (3, 5, 5)])
def test_new_keys_and_values_beside_an_arena_are_counted_as_they_are_laid_out(
    slots: int, chunk: int, tokens: int
) -> None:
    kind = kind_of("tensorrt")
    shape = arena_shape(DECODER, kind, "activations", slots, 768, chunk)
    each = -(-tokens * DECODER.kv_heads * DECODER.head_dim * 2 // 256) * 256
    assert (shape.fresh_tokens, shape.fresh_tensor_bytes) == (tokens, each)
    assert shape.allocated_bytes == shape.nbytes + shape.row_bytes + 2 * DECODER.layers * each
