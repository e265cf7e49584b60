"""A packed Linear, kept and unpacked, against its numbers reckoned one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.prequantized.matrix import PADDING, KeptMatrix, UnpackedMatrix
from edgekit.checkpoint.prequantized.scales import Grouping

GROUP, N, GROUPS = 32, 3, 2
RNG = np.random.default_rng(0)
NIBBLES = RNG.integers(0, 16, (N, GROUPS * GROUP), np.uint8)
ZEROS = RNG.integers(0, 16, (N, GROUPS), np.uint8)
SCALES = RNG.random((N, GROUPS)).astype(np.float16) + np.float16(0.1)


@dataclass
class Linear:
    """A matrix of the file whose nibbles, zeros and scales are those above."""

    scales: Array = field(default_factory=SCALES.copy)
    k: int = GROUPS * GROUP - 4
    released: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return N, self.k

    @property
    def grouping(self) -> Grouping:
        return Grouping(self.k, GROUP)

    @property
    def nbytes(self) -> int:
        return 0

    def holds_nonfinite_scale(self) -> bool:
        return False

    def misfit(self) -> str:
        return ""

    def codes(self, start: int, stop: int, release: bool) -> Array:
        packed: Array = NIBBLES[start:stop, 0::2] | NIBBLES[start:stop, 1::2] << 4
        return packed

    def zeros_of(self, start: int, stop: int) -> Array:
        return ZEROS[start:stop]

    def scales_of(self, start: int, stop: int) -> Array:
        scales: Array = self.scales[start:stop].copy()
        return scales

    def release(self) -> None:
        self.released += 1


def test_an_unpacked_matrix_is_code_less_zero_times_scale() -> None:
    linear = Linear()
    matrix = UnpackedMatrix(linear, "zero points")
    for start, stop in ((0, N), (1, 2)):
        values = matrix.rows(start, stop)
        assert values.dtype == np.float32
        assert values.shape == (stop - start, linear.k)
        for row in range(start, stop):
            for at in range(linear.k):
                less = np.float32(int(NIBBLES[row, at]) - int(ZEROS[row, at // GROUP]))
                assert values[row - start, at] == less * np.float32(SCALES[row, at // GROUP])


def test_a_kept_matrix_has_its_codes_and_a_group_without_a_scale_is_zero() -> None:
    linear = Linear()
    linear.scales[1, 0] = 0
    packed = KeptMatrix(linear).packed_rows(0, N)
    np.testing.assert_array_equal(packed.codes[1, : GROUP // 2], PADDING)
    np.testing.assert_array_equal(packed.codes[[0, 2]], linear.codes(0, N, False)[[0, 2]])
    np.testing.assert_array_equal(packed.codes[1, GROUP // 2 :], linear.codes(1, 2, False)[0, GROUP // 2 :])
    assert (packed.scales > 0).all()
    assert not packed.dequantize()[1, :GROUP].any()


def test_pages_go_with_the_last_row() -> None:
    for matrix, read in ((KeptMatrix, "packed_rows"), (lambda linear: UnpackedMatrix(linear, ""), "release")):
        linear = Linear()
        getattr(matrix(linear), read)(0, N - 1)
        assert linear.released == 0
        getattr(matrix(linear), read)(N - 1, N)
        assert linear.released == 1


@pytest.mark.parametrize(("misfit", "kind"), [("scales beyond float16", "wide scales"), ("zero points", "asymmetric")])
def test_what_tells_it_from_our_own_int4(misfit: str, kind: str) -> None:
    assert UnpackedMatrix(Linear(), misfit).kind == kind
