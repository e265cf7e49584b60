"""Two tensors are compared piece by piece, up to the first that differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint import same
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.same import same_values


class Counting:
    """A tensor in memory that notes how many rows were asked for at once, and when they were given back."""

    def __init__(self, array: Any) -> None:
        self.array, self.held = array, 0
        self.asked: list[tuple[int, int]] = []
        self.shape, self.dtype = array.shape, array.dtype

    def rows(self, start: int, stop: int) -> Any:
        self.asked.append((start, stop))
        self.held += 1
        assert self.held == 1, "a piece is given back before the next is read"
        return self.array[start:stop]

    def release(self, start: int, stop: int) -> None:
        assert (start, stop) == self.asked[-1]
        self.held -= 1


@pytest.mark.parametrize("differs", [None, 0, 900])
def test_a_head_is_compared_in_pieces_up_to_the_first_that_differs(
    monkeypatch: pytest.MonkeyPatch, differs: int | None
) -> None:
    monkeypatch.setattr(same, "_PIECE", 100 * 8)
    first = Counting(np.arange(8000, dtype=np.float16).reshape(1000, 8))
    other = Counting(first.array.astype(np.float32))
    if differs is not None:
        other.array[differs, 3] += 1
    assert same_values(first, other) == (differs is None)
    assert max(stop - start for start, stop in first.asked) == 100
    assert len(first.asked) == {None: 10, 0: 1, 900: 10}[differs]


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.full((2, 2), np.nan), np.full((2, 2), np.nan)),
        (np.full((1, 1), 1e30, np.float64), np.full((1, 1), np.inf, np.float32)),
        (np.zeros(()), np.zeros(())),
    ],
)
def test_other_shapes_and_what_is_no_number_are_never_the_same(first: Any, other: Any) -> None:
    tensors: list[Tensor] = [Counting(first), Counting(other)]
    assert not same_values(*tensors)
