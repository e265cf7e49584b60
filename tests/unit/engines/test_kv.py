"""The arena's size against published arithmetic, and against what engines allocate, plans count and Python adds up."""

from __future__ import annotations

import pytest

from edgekit.engines.kv import arena_shape, paired
from edgekit.engines.onnxruntime.arenas import HostArena
from edgekit.recipe import Cache
from edgekit.target.kinds import KINDS, PROCESSOR, kind_of
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA

DECODER = TINYLLAVA.spec.decoder


def test_the_cache_of_a_token_is_the_published_one() -> None:
    """LLaVA-Med keeps 131,072 bytes for a token in fp16, TinyLLaVA 22,528."""
    kind = kind_of("onnxruntime-cuda")
    assert arena_shape(LLAVA_MED.spec.decoder, kind, "activations", 1, 1).nbytes == 131_072
    assert arena_shape(DECODER, kind, "activations", 1, 1).nbytes == 22_528


@pytest.mark.parametrize(("slots", "rows"), [(1, 1), (2, 2), (3, 4), (8, 8)])
@pytest.mark.parametrize(("cache", "width"), [("activations", 4), ("int8", 1)])
def test_the_arena_is_planned_as_it_is_allocated(slots: int, rows: int, cache: Cache, width: int) -> None:
    assert paired(slots) == rows
    shape = arena_shape(DECODER, kind_of(PROCESSOR), cache, slots, 100)
    arena = HostArena(shape)
    held = sum(tensor.nbytes for tensor in arena._tensors)
    arena.close()
    by_hand = 2 * DECODER.layers * rows * DECODER.kv_heads * 100 * DECODER.head_dim * width
    assert shape.planned_bytes(kind_of(PROCESSOR), chunk=128) == shape.nbytes == held == by_hand


@pytest.mark.parametrize("name", KINDS)
def test_rows_come_in_pairs_where_kernels_take_them_so(name: str) -> None:
    kind = KINDS[name]
    assert arena_shape(DECODER, kind, "activations", 3, 100).slots == (4 if kind.paired_rows else 3)


@pytest.mark.parametrize(("slots", "chunk", "tokens"), [(3, 512, 512), (600, 512, 600), (3, 5, 5)])
def test_new_keys_and_values_beside_an_arena_are_counted_as_they_are_laid_out(
    slots: int, chunk: int, tokens: int
) -> None:
    kind = kind_of("tensorrt")
    shape = arena_shape(DECODER, kind, "activations", slots, 768)
    each = -(-tokens * DECODER.kv_heads * DECODER.head_dim * 2 // 256) * 256
    assert shape.fresh_bytes(tokens) == each
    assert shape.planned_bytes(kind, chunk) == shape.nbytes + shape.row_bytes + 2 * DECODER.layers * each
