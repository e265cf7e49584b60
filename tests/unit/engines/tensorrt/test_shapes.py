"""The shapes of a bundle's plans: in order, within the context, and with room for every call that an engine makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.engines.gpu.arena import buckets
from edgekit.engines.tensorrt.shapes import profiles, sizes
from tests.unit.plan.models import TINYLLAVA

SPEC = TINYLLAVA.spec


@given(slots=st.integers(1, 16), context=st.integers(1, 32).map(lambda blocks: 256 * blocks))
def test_every_range_is_in_order(slots: int, context: int) -> None:
    for graph in profiles(SPEC, slots, context).values():
        for profile in graph:
            for least, usual, most in profile.values():
                assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))


@given(slots=st.integers(1, 16), context=st.integers(1, 32).map(lambda blocks: 256 * blocks))
def test_the_decoder_has_room_for_a_piece_of_one_row_and_a_token_of_each(slots: int, context: int) -> None:
    prefill, decode = profiles(SPEC, slots, context)["decoder"]
    chunk = sizes(slots, context)["chunk"]
    assert chunk == min(512, context)
    assert prefill["inputs_embeds"][2] == (1, chunk, 2048)
    assert decode["inputs_embeds"][0] == (1, 1, 2048)
    assert decode["inputs_embeds"][2] == (slots, 1, 2048)
    for profile, rows in ((prefill, 1), (decode, slots)):
        assert profile["lengths"][2] == (rows,)
        assert profile["past.21.value"][2] == (rows, 4, context, 64)
        assert profile["past.0.key"][0][2] == buckets(context)[0]
        assert len(profile) == 2 * 22 + 2


@pytest.mark.parametrize(("name", "value"), [("vision", (1, 3, 384, 384)), ("projector", (1, 729, 1152))])
def test_a_picture_has_one_shape(name: str, value: tuple[int, ...]) -> None:
    (profile,) = profiles(SPEC, 4, 2048)[name]
    assert list(profile.values()) == [(value, value, value)]
