"""The tests' own packer writes the words that the formats' packages write.

The words were taken from compressed-tensors 0.20.1 (``PackedQuantizationCompressor.compress``), auto-round 0.16.1
(``QuantLinear.pack`` of qlinear_torch_zp and qlinear_torch) and its copy of AutoAWQ's ``WQLinear_GEMM.from_linear``,
given the Linear below; compressed-tensors' and AutoRound's own code turned them back into exactly its weights.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.prequantized import Array, Format, Linear, stored

SIZE, GROUP = 32, 32
FIRST_ROWS = (
    "52fc9630 da741eb8 52fc9630 da741eb8 1d951d95 1d951d95 1d951d95 1d951d95 d83e94fa 50b61c72 d83e94fa 50b61c72"
)
ZEROS = "852eb852 2eb852eb b852eb85 52eb852e"
ZEROS_LESS_ONE = "741da741 1da741da a741da74 41da741d"
AWQ_ROWS = "39f5e4a0 b17d6c28 39f5e4a0 b17d6c28 d1597bf3 d1597bf3 d1597bf3 d1597bf3 79bd0246 f1358ace 79bd0246 f1358ace"
AWQ_ZEROS = "82b55e82 2b5ee82b b5e882b5 5e822b5e"


def linear(k: int = SIZE, symmetric: bool = False) -> Linear:
    i, j = np.mgrid[:SIZE, :k]
    zeros = (np.full(SIZE, 8) if symmetric else (3 * np.arange(SIZE) + 1) % 15 + 1)[:, None]
    scales = 2.0**-6 * (1 + np.arange(SIZE)[:, None] % 4)
    codes = ((5 * i + 3 * j + i * j) % 16).astype(np.uint8)
    return Linear(codes, zeros.astype(np.uint8), scales.astype(np.float16), GROUP)


def text(words: Array) -> str:
    return " ".join(f"{word:08x}" for word in words.view(np.uint32).reshape(-1))


@pytest.mark.parametrize(
    ("kind", "rows", "zeros"),
    [
        ("auto-round", FIRST_ROWS, ZEROS_LESS_ONE),
        ("auto-round_v2", FIRST_ROWS, ZEROS),
        ("awq", AWQ_ROWS, AWQ_ZEROS),
        ("compressed-tensors", FIRST_ROWS, ZEROS),
    ],
)
def test_words_are_the_packages_own(kind: Format, rows: str, zeros: str) -> None:
    tensors = stored(linear(), kind)
    if kind == "compressed-tensors":
        assert text(tensors["weight_packed"][:3]) == rows
        assert text(tensors["weight_zero_point"]) == zeros
        assert tensors["weight_shape"].tolist() == [SIZE, SIZE]
        assert "weight_zero_point" not in stored(linear(symmetric=True), kind)
    else:
        assert text(np.ascontiguousarray(tensors["qweight"][:3] if kind == "awq" else tensors["qweight"].T[:3])) == rows
        assert text(tensors["qzeros"]) == zeros


def test_a_row_that_ends_within_a_word() -> None:
    """compressed-tensors fills the word with zero bits."""
    assert text(stored(linear(30), "compressed-tensors")["weight_packed"][1]) == "1d951d95 1d951d95 1d951d95 00951d95"
