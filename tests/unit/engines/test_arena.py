"""The arena against a plain dictionary of what each slot should hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from edgekit.engines.kv import ArenaShape
from edgekit.engines.onnxruntime.arenas import HostArena

SLOTS, CONTEXT = 4, 8
SHAPE = ArenaShape(layers=2, slots=SLOTS, kv_heads=2, context=CONTEXT, head_dim=3, dtype="float32")
step = st.one_of(
    st.tuples(st.just("write"), st.integers(0, SLOTS - 1), st.integers(1, CONTEXT)),
    st.tuples(st.just("copy"), st.integers(0, SLOTS - 1), st.integers(0, SLOTS - 1)),
    st.tuples(st.just("lead"), st.permutations(range(SLOTS)), st.integers(1, SLOTS)),
)


def read(arena: HostArena, slot: int) -> npt.NDArray[Any]:
    row, length = arena.row(slot), arena.lengths[slot]
    return np.stack([tensor[row, :, :length] for tensor in arena._tensors])


@given(st.lists(step, max_size=30))
def test_slots_keep_their_tokens_wherever_their_rows_go(steps: list[tuple[str, Any, Any]]) -> None:
    arena = HostArena(SHAPE)
    held = {slot: read(arena, slot) for slot in range(SLOTS)}
    for number, (kind, a, b) in enumerate(steps, start=1):
        if kind == "write":
            for i, tensor in enumerate(arena._tensors):
                tensor[arena.row(a), :, :b] = 100 * number + i
            arena.lengths[a] = b
            held[a] = read(arena, a)
        elif kind == "copy" and a != b:
            length = arena.lengths[a]
            arena.copy(a, b, length)
            held[b] = held[a][:, :, :length].copy()
        elif kind == "lead":
            arena.lead(a[:b])
            assert sorted(arena.row(slot) for slot in a[:b]) == list(range(b))
        for slot in range(SLOTS):
            assert arena.slot_at(arena.row(slot)) == slot
            np.testing.assert_array_equal(read(arena, slot), held[slot])


def test_leading_slots_that_lead_already_are_not_moved() -> None:
    arena = HostArena(SHAPE)
    arena.lead([1, 0])
    assert [arena.row(slot) for slot in range(SLOTS)] == [0, 1, 2, 3]
