"""What sums in float16 lose, beside sums that are made so: one float16 for each, a product added at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgekit.check.measure import gain, relative_error
from edgekit.check.rounding import of_component, of_sum, sums_here
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import ProjectorSpec
from edgekit.target import target
from tests.fake_engine import fake_spec
from tests.unit.check.case import BUNDLE
from tests.unit.check.parted import PartedEngine


def one_by_one(x: Array, matrix: Array) -> Array:
    """``x`` ``[n, k]`` times ``[k, m]``: a fused multiply-add rounds once, and float64 holds what it rounds."""
    total = np.zeros((len(x), matrix.shape[1]), np.float16)
    for column, row in zip(x.T.astype(np.float64), matrix.astype(np.float64), strict=True):
        total = (total + column[:, None] * row).astype(np.float16)
    return total


def factors(*shape: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float16)


@pytest.mark.parametrize("length", [64, 256, 1024, 4096])
def test_a_sum_s_error_grows_as_the_root_of_its_length(length: int) -> None:
    x, matrix = factors(12, length, seed=0), factors(length, 48, seed=1) / np.float16(64)
    summed, exact = one_by_one(x, matrix), x.astype(np.float64) @ matrix.astype(np.float64)
    assert relative_error(summed, exact) == pytest.approx(of_sum(length), rel=0.12)
    assert abs(gain(summed, exact)) < 0.001


def test_a_projector_s_error_is_that_of_its_products_one_after_another() -> None:
    widths = (96, 512, 64)
    x = factors(24, widths[0], seed=2)
    exact = x.astype(np.float64)
    for at in range(2):
        matrix = factors(widths[at], widths[at + 1], seed=3 + at) / np.float16(16)
        x, exact = one_by_one(x, matrix), exact @ matrix.astype(np.float64)
    spec = replace(fake_spec(), projector=ProjectorSpec(widths))
    assert relative_error(x, exact) == pytest.approx(of_component("projector", spec), rel=0.12)


@pytest.mark.parametrize(("width", "layers", "error"), [(256, 2, 0.0046), (512, 2, 0.0062), (256, 4, 0.0065)])
def test_a_decoder_s_error_is_what_a_cortex_a76_showed(width: int, layers: int, error: float) -> None:
    """Of docs/figures.md, the last that of the embedded model."""
    spec = fake_spec()
    spec = replace(spec, decoder=replace(spec.decoder, hidden=width, layers=layers))
    assert of_component("decoder", spec) == pytest.approx(error, rel=0.2)


def test_a_tower_without_layers_has_sums_all_the_same() -> None:
    spec = fake_spec()
    bare = replace(spec, vision=replace(spec.vision, layers=0))
    assert of_component("vision", bare) > 0


@pytest.mark.parametrize(
    ("device", "on_gpu", "multiplies", "sums"),
    [
        ("cpu", False, True, "float32"),
        ("orin", False, False, "float32"),
        ("orin", False, True, "float16"),
        ("orin", True, False, "gpu"),
        ("orin", True, True, "gpu"),
    ],
)
def test_graphs_in_float16_are_added_up_as_the_device_can(
    device: str, on_gpu: bool, multiplies: bool, sums: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.check.rounding.multiplies_float16", lambda: multiplies)
    bundle = replace(BUNDLE, manifest=replace(BUNDLE.manifest, target=target(device)))
    engine = PartedEngine()
    engine.on_gpu = on_gpu
    assert sums_here(bundle, engine) == sums
