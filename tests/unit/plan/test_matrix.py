"""Every recipe on every target is planned as it would be alone."""

from __future__ import annotations

from dataclasses import replace

from edgekit.checkpoint.open import open_checkpoint
from edgekit.phantom.embedded import embedded
from edgekit.plan import matrix, plan
from edgekit.plan.matrix import shipped_matrix
from edgekit.recipe import recipe, recipes
from edgekit.target import target, targets
from edgekit.units import GIB


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
