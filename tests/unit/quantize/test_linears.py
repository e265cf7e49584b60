"""Each matrix's bytes and error against plain arithmetic on its weights."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import PackedTensor, Tensor
from edgekit.phantom.embedded import embedded
from edgekit.quantize import quantize
from edgekit.quantize.linears import linears, parts, weight_error
from edgekit.recipe import recipe


def test_every_matrix_s_error_is_that_of_its_weights() -> None:
    source = open_checkpoint(embedded())
    rounded = quantize(source, recipe("q4"))
    matrices = {matrix.name: matrix for matrix in linears(source, rounded, {})}
    for name in ("decoder.layers.2.mlp.up.weight", "vision.layers.0.attn.q.weight", "decoder.embedding.weight"):
        plain, packed = cast("Tensor", source.tensors[name]), cast("PackedTensor", rounded.tensors[name])
        whole = plain.rows(0, plain.shape[0]).astype(np.float64)
        stored = packed.packed_rows(0, plain.shape[0])
        error = float(np.linalg.norm(whole - stored.dequantize()) / np.linalg.norm(whole))
        assert matrices[name].error == pytest.approx(error, rel=0.1)  # of some rows
        assert (matrices[name].bits, matrices[name].bytes, matrices[name].of) == (packed.bits, stored.nbytes, "weights")
    assert weight_error(plain, plain) == 0


def test_a_calibration_s_own_errors_are_taken() -> None:
    source = open_checkpoint(embedded())
    name = "decoder.layers.2.mlp.up.weight"
    (matrix,) = [
        matrix for matrix in linears(source, quantize(source, recipe("q4")), {name: 0.125}) if matrix.name == name
    ]
    assert (matrix.error, matrix.of) == (0.125, "outputs")


def test_parts_add_up() -> None:
    source = open_checkpoint(embedded())
    matrices = linears(source, quantize(source, recipe("q4")), {})
    sums = {part.name: part for part in parts(matrices, source)}
    assert sum(part.bytes for part in sums.values()) == sum(part.bytes for part in matrices)
    assert 4 < sums["decoder"].bits_per_weight < 4.5
    assert 8 < sums["vision"].bits_per_weight < 8.5
