"""How an arena is laid out anew, and how new keys and values get to their places; without TensorRT."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.engines.gpu.arena import BucketArena, buckets, moves
from edgekit.engines.gpu.device import Lines
from edgekit.engines.kv import ArenaShape
from tests.simulated_tensorrt.device import FakeDevice

SHAPE = ArenaShape(layers=2, slots=3, kv_heads=2, context=600, head_dim=64, dtype="float16", spare_rows=1)


@given(st.integers(1, 60), st.integers(1, 40), st.integers(1, 40), st.data())
def test_no_line_is_written_over_before_it_has_moved(lines: int, old: int, new: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, min(old, new)))
    spare = data.draw(st.integers(1, 5))
    memory = np.full(lines * max(old, new), -1)
    for line in range(lines):
        memory[line * old : line * old + width] = line * 1000 + np.arange(width)
    for move in moves(lines, old, new, width, spare):
        places = range(move.first, move.first + move.count)
        held = [memory[line * old : line * old + width].copy() for line in places]
        sources = {place for line in places for place in range(line * old, line * old + width)}
        targets = {place for line in places for place in range(line * new, line * new + width)}
        if move.spared:
            assert move.count <= spare
        else:
            assert max(min(sources), min(targets)) > min(max(sources), max(targets)), "a copy onto itself"
        for line, values in zip(places, held, strict=True):
            memory[line * new : line * new + width] = values
    for line in range(lines):
        assert (memory[line * new : line * new + width] == line * 1000 + np.arange(width)).all()


def test_doubling_takes_few_copies_and_no_spare() -> None:
    found = list(moves(lines=64 * 4 * 8, old=512, new=1024, width=512, spare=1))
    assert len(found) == 11
    assert not any(move.spared for move in found)


def test_buckets_double_up_to_the_context() -> None:
    assert buckets(2048) == (256, 512, 1024, 2048)
    assert buckets(1500) == (256, 512, 1024, 1500)
    assert buckets(256) == (256,)
    assert buckets(100) == (100,)


def fill(arena: BucketArena, device: FakeDevice, slot: int, length: int, seed: int) -> np.ndarray:
    """Write random tokens of a slot straight into memory; returns them, ``[tensors, kv_heads, length, head_dim]``."""
    shape = arena.shape
    values = np.random.default_rng(seed).standard_normal((2 * shape.layers, shape.kv_heads, length, shape.head_dim))
    for tensor, address in enumerate(np.ravel(arena.pointers(arena.row(slot)))):
        view = device.at(int(address), arena.row_bytes).view(np.float16)
        view.reshape(shape.kv_heads, arena.bucket, shape.head_dim)[:, :length] = values[tensor]
    arena.lengths[slot] = length
    return values.astype(np.float16)


def held(arena: BucketArena, device: FakeDevice, slot: int) -> np.ndarray:
    device.synchronize()
    shape, found = arena.shape, []
    for address in np.ravel(arena.pointers(arena.row(slot))):
        view = device.at(int(address), arena.row_bytes).view(np.float16)
        found.append(view.reshape(shape.kv_heads, arena.bucket, shape.head_dim)[:, : arena.lengths[slot]])
    return np.stack(found)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("fill"), st.integers(0, 2), st.integers(1, 600)),
            st.tuples(st.just("copy"), st.integers(0, 2), st.integers(0, 2)),
            st.tuples(st.just("lead"), st.permutations(range(3)), st.integers(1, 3)),
            st.tuples(st.just("wash"), st.integers(0, 2), st.just(0)),
        ),
        max_size=8,
    )
)
def test_slots_keep_their_tokens_in_every_bucket(steps: list[tuple[str, object, object]]) -> None:
    device = FakeDevice()
    arena = BucketArena(SHAPE, device)
    expected = {slot: held(arena, device, slot) for slot in range(3)}
    for number, (kind, a, b) in enumerate(steps):
        if kind == "fill" and isinstance(a, int) and isinstance(b, int):
            arena.lengths[a] = 0
            arena.make_room(b, shrink=True)
            device.synchronize()
            expected[a] = fill(arena, device, a, b, number)
        elif kind == "copy" and isinstance(a, int) and isinstance(b, int):
            arena.copy(a, b, arena.lengths[a])
            expected[b] = expected[a].copy()
        elif kind == "wash" and isinstance(a, int):
            arena.wash(a)
            expected[a] = np.zeros_like(expected[a])
        elif kind == "lead" and isinstance(a, list) and isinstance(b, int):
            arena.lead(a[:b])
        assert arena.bucket in buckets(600)
        assert arena.bucket >= max(arena.lengths)
        for slot in range(3):
            np.testing.assert_array_equal(held(arena, device, slot), expected[slot])
    device.synchronize()
    assert np.isfinite(device.at(arena.address, SHAPE.nbytes).view(np.float16)).all()
    arena.close()
    assert not device.memory


def test_every_row_begins_where_tensorrt_takes_it() -> None:
    device = FakeDevice()
    arena = BucketArena(SHAPE, device)
    for length in (1, 300, 600):
        arena.make_room(length)
        addresses = [address for row in range(3) for pair in arena.pointers(row) for address in pair]
        assert not any(address % 256 for address in addresses)


def test_the_simulated_gpu_refuses_what_a_real_one_would() -> None:
    device = FakeDevice()
    address = device.allocate(1000, "something")
    other = device.allocate(1000, "something")
    for target, source, width in ((address, other, 1001), (address + 500, other, 501)):
        device.copy_lines(Lines(target, 2000), Lines(source, 2000), width, 1)
        with pytest.raises(AssertionError, match="illegal address"):
            device.synchronize()
    with pytest.raises(AssertionError, match="overlapping"):
        device.copy_lines(Lines(address, 100), Lines(address + 50, 100), 60, 2)
    device.free(other)
    device.clear_lines(Lines(other, 10), 10, 1)
    with pytest.raises(AssertionError, match="illegal address"):
        device.synchronize()
