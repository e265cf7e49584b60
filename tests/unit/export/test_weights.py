"""Tensors that a graph holds as one: what they are stored in, and which do not go together."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Bits
from edgekit.errors import CheckpointError
from edgekit.export.weights import find, stack
from edgekit.quantize.tensors import RoundedTensor
from tests.unit.quantize.fakes import BFLOAT16, Stored, normal

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def packed(n: int, k: int, bits: Bits, group: int) -> RoundedTensor:
    return RoundedTensor("w", Stored(normal(n, k)), bits, group)


@pytest.mark.parametrize(
    ("stored", "activations", "dtype"),
    [
        ((HALF, HALF), SINGLE, HALF),  # nothing is lost, and half the memory
        ((BFLOAT16, HALF), SINGLE, HALF),
        ((HALF, SINGLE), SINGLE, SINGLE),
        ((HALF, SINGLE), HALF, HALF),
    ],
)
def test_a_plain_stack_is_stored_in_the_narrowest_that_loses_nothing_of_the_computation(
    stored: tuple[np.dtype[Any], ...], activations: np.dtype[Any], dtype: np.dtype[Any]
) -> None:
    parts: dict[str, Weight] = {str(i): Stored(normal(3 + i, 8, dtype=kind)) for i, kind in enumerate(stored)}
    whole = stack(parts, ["0", "1"])
    assert whole.storage == "plain"
    assert whole.shape == (7, 8)
    assert whole.dtype(activations) == dtype
    assert whole.read_bytes == 7 * 8 * max(kind.itemsize for kind in stored)


@pytest.mark.parametrize(("bits", "storage"), [(4, "int4"), (8, "int8")])
def test_a_packed_stack_passes_by_as_the_float16_that_it_comes_from(bits: Bits, storage: str) -> None:
    parts: dict[str, Weight] = {name: packed(rows, 64, bits, 32) for name, rows in (("q", 6), ("k", 2))}
    whole = stack(parts, ["q", "k"])
    assert (whole.storage, whole.group, whole.shape) == (storage, 32, (8, 64))
    assert whole.read_bytes == 8 * 64 * 2


@pytest.mark.parametrize(
    "other", [packed(4, 64, 4, 64), packed(4, 64, 8, 64), packed(4, 32, 4, 32), Stored(normal(4, 64))]
)
def test_what_is_stored_in_another_way_does_not_go_together(other: Weight) -> None:
    with pytest.raises(CheckpointError, match=re.escape("a.q, a.k are not stored alike")):
        stack({"a.q": packed(4, 64, 4, 32), "a.k": other}, ["a.q", "a.k"])


def test_int8_matrices_have_one_scale_a_row_whatever_their_group_says() -> None:
    parts: dict[str, Weight] = {"up": packed(4, 64, 8, 64), "gate": packed(4, 64, 8, 128)}
    assert stack(parts, ["gate", "up"]).storage == "int8"


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(CheckpointError, match=re.escape("no 'vision.cls'")):
        find({}, "vision.cls")
