"""The bits of others' words against the tests' own packer, which shares nothing with the reader."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.checkpoint.prequantized.layout import (
    awq_codes,
    gptq_codes,
    holds_fifteen,
    row_zero_points,
    word_of_eights,
    zero_points,
)
from tests.prequantized import AWQ_ORDER, IN_ORDER, Array, words_of

SEEDS = st.integers(0, 2**32 - 1)


def nibbles(seed: int, n: int, k: int) -> Array:
    return np.random.default_rng(seed).integers(0, 16, (n, k), np.uint8)


def paired(codes: Array) -> Array:
    both: Array = codes[:, 0::2] | codes[:, 1::2] << 4
    return both


@given(seed=SEEDS, n=st.integers(1, 20), words=st.integers(1, 5))
def test_gptq_s_words_are_of_inputs(seed: int, n: int, words: int) -> None:
    codes = nibbles(seed, n, 8 * words)
    np.testing.assert_array_equal(gptq_codes(words_of(codes, IN_ORDER).T), paired(codes))


@given(seed=SEEDS, words=st.integers(1, 5), pairs=st.integers(1, 9))
def test_awq_s_words_are_of_outputs_in_an_order_of_their_own(seed: int, words: int, pairs: int) -> None:
    codes = nibbles(seed, 8 * words, 2 * pairs)
    np.testing.assert_array_equal(awq_codes(words_of(codes.T, AWQ_ORDER)), paired(codes))


@given(seed=SEEDS, n=st.integers(1, 3), groups=st.integers(1, 5))
def test_zero_points_lie_as_the_codes_do(seed: int, n: int, groups: int) -> None:
    zeros = nibbles(seed, 8 * n, groups)
    np.testing.assert_array_equal(zero_points(words_of(zeros.T, AWQ_ORDER), "awq", less_one=False), zeros)
    np.testing.assert_array_equal(zero_points(words_of(zeros.T, IN_ORDER), "gptq", less_one=False), zeros)
    zeros = np.maximum(zeros, 1)
    np.testing.assert_array_equal(zero_points(words_of(zeros.T - 1, IN_ORDER), "gptq", less_one=True), zeros)


def test_one_that_was_taken_off_a_word_of_nibbles_is_added_with_its_carry() -> None:
    zeros = np.array([[0, 8, 8, 8, 8, 8, 8, 8]])
    word = words_of(zeros, IN_ORDER).view(np.uint32) - np.uint32(0x11111111)
    assert zero_points(word.view(np.int32), "gptq", less_one=True).T.tolist() == zeros.tolist()
    assert holds_fifteen(word.view(np.int32))


@pytest.mark.parametrize("place", range(8))
def test_a_fifteen_is_seen_wherever_it_stands(place: int) -> None:
    zeros = np.full((2, 8), 14)
    assert not holds_fifteen(words_of(zeros, IN_ORDER))
    zeros[1, place] = 15
    assert holds_fifteen(words_of(zeros, IN_ORDER))


@given(seed=SEEDS, n=st.integers(1, 20), groups=st.integers(1, 5))
def test_compressed_tensors_zero_points_may_end_within_a_word(seed: int, n: int, groups: int) -> None:
    zeros = nibbles(seed, n, groups)
    np.testing.assert_array_equal(row_zero_points(words_of(zeros.T, IN_ORDER).T, n), zeros)


@pytest.mark.parametrize("less_one", [False, True])
def test_a_word_of_eights_is_what_a_symmetric_matrix_stores(less_one: bool) -> None:
    eights = np.full((1, 8), 8 - less_one)
    for order in (IN_ORDER, AWQ_ORDER):
        assert words_of(eights, order).item() == word_of_eights(less_one)
