"""Every recipe on every target: the pairs, the best of each, and recipes that packed weights leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.errors import CheckpointError
from edgekit.phantom.embedded import embedded
from edgekit.plan import matrix, plan
from edgekit.plan.matrix import shipped_matrix
from edgekit.quantize import quantize
from edgekit.recipe import recipe, recipes
from edgekit.target import target, targets
from edgekit.units import GIB
from tests.unit.plan.models import LLAVA_MED
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 GiB, whatever runs the tests."""
    monkeypatch.setattr("edgekit.plan.planning.total_memory", lambda: 16 * GIB)


def test_every_recipe_on_every_target() -> None:
    every = matrix(LLAVA_MED, targets(), recipes())
    assert {name: set(row) for name, row in every.plans.items()} == {
        shipped.name: {by.name for by in recipes()} for shipped in targets()
    }
    assert every.best == {"cpu": "q8", "orin": "fp16", "rtx3050": "q4", "rtx3080": "q8"}
    assert every.fits


def test_a_pair_is_planned_as_it_is_alone_and_nothing_is_best_where_nothing_fits() -> None:
    checkpoint = open_checkpoint(embedded())
    ample = replace(target("cpu"), memory_bytes=16 * GIB)
    small = replace(ample, name="small", memory_bytes=ample.reserved_bytes + 1)
    both = matrix(checkpoint, [ample, small], [recipe("q8"), recipe("q4")])
    assert both.plans["cpu"]["q8"] == plan(checkpoint, ample, recipe("q8"))
    assert both.plans["small"]["q4"] == plan(checkpoint, small, recipe("q4"))
    assert (both.best, both.fits) == ({"cpu": "q8", "small": ""}, False)


def test_what_ships_is_planned_with_so_many_slots_or_each_target_s() -> None:
    checkpoint = open_checkpoint(embedded())
    own, two = shipped_matrix(checkpoint), shipped_matrix(checkpoint, slots=2, context=512)
    for target_of in targets():
        assert own.plans[target_of.name].keys() == {shape.name for shape in recipes()}
        assert {planned.target.slots for planned in own.plans[target_of.name].values()} == {target_of.slots}
        sizes = {(planned.target.slots, planned.target.context) for planned in two.plans[target_of.name].values()}
        assert sizes == {(2, 512)}


def small(dtype: type[np.floating]) -> Checkpoint:
    tensors = {name: Stored(normal(*shape, dtype=np.dtype(dtype))) for name, shape in tensor_shapes(SPEC).items()}
    return checkpoint(**tensors)


def test_32_bits_are_best_only_for_weights_that_have_them() -> None:
    """Weights of 16 bits gain nothing by 32."""
    spacious = replace(target("cpu"), context=160)
    narrow, wide = (matrix(small(dtype), [spacious], recipes()) for dtype in (np.float16, np.float32))
    assert narrow.best["cpu"] == "fp16"
    assert wide.best["cpu"] == "fp32"
    assert set(narrow.plans["cpu"]) == set(wide.plans["cpu"]), "which is planned all the same"


def test_packed_weights_leave_out_what_they_do_not_fit() -> None:
    source = small(np.float16)
    packed = replace(source, tensors=quantize(source, recipe("q8")).tensors)
    every = matrix(packed, [replace(target("cpu"), context=160)], recipes())
    assert set(every.plans["cpu"]) == {"q8"}
    assert every.best == {"cpu": "q8"}
    with pytest.raises(CheckpointError, match="quantized already"):
        matrix(packed, [target("cpu")], [recipe("q4")])


def test_the_document_is_each_pair_s_own() -> None:
    every = matrix(LLAVA_MED, [target("orin")], [recipe("q4"), recipe("q8")])
    document = every.document()
    assert (document["fits"], document["best"]) == (True, {"orin": "q8"})
    assert document["plans"]["orin"]["q4"] == every.plans["orin"]["q4"].document()
