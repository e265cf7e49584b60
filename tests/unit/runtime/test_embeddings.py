from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.checkpoint.packed import Array
from edgekit.errors import EngineError
from edgekit.runtime.embeddings import Embeddings
from tests.fake_engine import HIDDEN, IMAGE_ROWS, FakeEngine, image_piece, image_prompt

PROMPT = image_prompt("ab", 10, "cde", 20, 30, "f")
IMAGE_BYTES = IMAGE_ROWS * HIDDEN * 4


def _whole(engine: FakeEngine) -> Array:
    images = [engine.encode(image_piece(shade).pixels()[None])[0] for shade in (10, 20, 30)]
    parts = [engine.embed(b"ab"), images[0], engine.embed(b"cde"), *images[1:], engine.embed(b"f")]
    return np.concatenate(parts)


@given(st.integers(0, len(PROMPT) - 1), st.integers(1, 40))
def test_any_rows_are_the_rows_of_the_whole(start: int, length: int) -> None:
    stop = min(start + length, len(PROMPT))
    rows = Embeddings(FakeEngine()).rows(PROMPT, start, stop)
    np.testing.assert_array_equal(rows, _whole(FakeEngine())[start:stop])
    assert rows.dtype == np.float32


def test_an_image_is_encoded_when_a_row_of_it_is_needed_and_once() -> None:
    engine = FakeEngine()
    embeddings = Embeddings(engine)
    embeddings.rows(PROMPT, 0, 2)
    assert engine.calls == []
    for start in range(2, 14, 3):
        embeddings.rows(PROMPT, start, start + 3)
    assert engine.calls == [("encode", 1)]
    embeddings.rows(image_prompt(10), 0, 2)
    assert engine.calls == [("encode", 1)]


def test_the_images_used_least_recently_go_first() -> None:
    engine = FakeEngine()
    embeddings = Embeddings(engine, cache_bytes=2 * IMAGE_BYTES)
    encoded = []
    for shade in (1, 2, 1, 3, 1, 2):
        before = len(engine.calls)
        embeddings.rows(image_prompt(shade), 0, IMAGE_ROWS)
        encoded.append(len(engine.calls) > before)
    assert encoded == [True, True, False, True, False, True]


def test_the_image_being_read_is_kept_however_small_the_cache() -> None:
    engine = FakeEngine()
    embeddings = Embeddings(engine, cache_bytes=0)
    for start in range(0, 8, 2):
        embeddings.rows(image_prompt(1), start, start + 2)
    assert engine.calls == [("encode", 1)]


def test_an_image_is_kept_for_its_own_caller_until_that_is_forgotten() -> None:
    engine = FakeEngine()
    embeddings = Embeddings(engine)

    def encoded(caller: str) -> int:
        before = len(engine.calls)
        embeddings.rows(image_prompt(1), 0, IMAGE_ROWS, caller)
        return len(engine.calls) - before

    assert [encoded(caller) for caller in "abab"] == [1, 1, 0, 0]
    embeddings.forget("a")
    assert [encoded(caller) for caller in "ab"] == [1, 0]


def test_an_image_with_another_number_of_rows_is_an_engine_error() -> None:
    class Short(FakeEngine):
        def encode(self, pixels: Array) -> Array:
            return super().encode(pixels)[:, 1:]

    with pytest.raises(EngineError, match="8 rows for an image, the model's description says 9"):
        Embeddings(Short()).rows(PROMPT, 0, 5)


def test_what_is_pooled_of_an_image_outlives_its_rows_and_not_its_caller() -> None:
    embeddings = Embeddings(FakeEngine(), cache_bytes=0)
    first, second = image_piece(1), image_piece(2)
    embeddings.rows(image_prompt(1), 0, IMAGE_ROWS, "ward")
    assert embeddings.pooled(first, "ward") is None  # nobody asked for it
    embeddings.pool = lambda rows: rows.mean(0)
    for shade in (2, 1):
        embeddings.rows(image_prompt(shade), 0, IMAGE_ROWS, "ward")
    for piece in (first, second):
        pooled = embeddings.pooled(piece, "ward")
        assert pooled is not None
        np.testing.assert_array_equal(pooled, FakeEngine().encode(piece.pixels()[None])[0].mean(0))
    assert embeddings.pooled(first, "another") is None
    embeddings.forget("ward")
    assert embeddings.pooled(first, "ward") is None
