"""A bundle's fidelity report: put together of what was quantized and checked, and read as it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.bundle import Bundle, unsealed
from edgekit.check.cache import CacheLoss
from edgekit.check.fidelity import FIDELITY, fidelity, read_fidelity, write_fidelity
from edgekit.errors import BundleError
from edgekit.quantize import quantize
from edgekit.quantize.calibrate import Calibrated
from tests.edited import edit
from tests.unit.check.case import DECODER, MANIFEST, VISION, checked
from tests.unit.quantize.fakes import Stored, checkpoint, normal, recipe

UP, HEAD = "decoder.layers.0.mlp.up.weight", "decoder.lm_head.weight"
SOURCE = checkpoint(**{UP: Stored(normal(64, 128)), HEAD: Stored(normal(32, 128))})
INT4 = recipe("int4", method="awq")
LOSS = CacheLoss(positions=9, kl=0.001, worst_kl=0.01, same=8)
REPORT = fidelity(SOURCE, Calibrated(quantize(SOURCE, INT4), errors={UP: 0.125}), checked(VISION, DECODER), INT4, LOSS)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    write_fidelity(tmp_path, REPORT)
    return unsealed(tmp_path, MANIFEST)


def test_it_has_the_matrices_the_parts_and_the_check(bundle: Bundle) -> None:
    up, head = REPORT.linears
    assert (up.name, up.bits, up.group, up.error, up.of) == (UP, 4, 128, 0.125, "outputs")
    assert (head.bits, head.of) == (4, "weights")
    assert {part.name: part.weights for part in REPORT.parts} == {"decoder": 64 * 128, "lm_head": 32 * 128}
    for part in REPORT.parts:  # half a byte a weight, and two bytes of scale for each 128
        assert part.bits_per_weight == 4 + 16 / 128
    assert REPORT.components == (VISION.measured, DECODER.measured)
    assert (REPORT.method, REPORT.cache) == ("awq", LOSS)


def test_it_is_read_as_it_was_written(bundle: Bundle) -> None:
    assert read_fidelity(bundle) == REPORT


def test_a_component_of_no_weights_is_damage(bundle: Bundle) -> None:
    edit(bundle.path / FIDELITY, lambda document: document["parts"][0].update(weights=0))
    with pytest.raises(BundleError, match="a component of no weights"):
        read_fidelity(bundle)


@pytest.mark.parametrize("harm", [lambda text: text[:99], lambda text: text.replace('"format": 1', '"format": 9')])
def test_a_damaged_report_is_one_clear_error(harm: Callable[[str], str], bundle: Bundle) -> None:
    file = bundle.path / FIDELITY
    file.write_text(harm(file.read_text()))
    with pytest.raises(BundleError, match="fidelity"):
        read_fidelity(bundle)


def test_a_bundle_without_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=FIDELITY):
        read_fidelity(unsealed(tmp_path, MANIFEST))
