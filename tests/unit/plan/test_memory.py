"""A plan's sums: what each side holds, what stays free, and which limits of a budget it breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.plan.components import Component, SideName, When
from edgekit.plan.disk import Disk
from edgekit.plan.memory import MemoryPlan, Side, total
from edgekit.plan.planning import plan_subject
from edgekit.plan.subject import subject_of
from edgekit.recipe import recipe
from edgekit.target import Budget, target
from edgekit.units import GIB
from tests.unit.plan.models import TINYLLAVA


def part(size: int, when: When, side: SideName = "device") -> Component:
    return Component(name=f"{side} {when}", bytes=size, side=side, when=when, basis="exact")


PARTS = (part(100, "static"), part(20, "dynamic"), part(3, "service", "host"), part(1000, "static", "host"))


def plan(memory_bytes: int, reserved_bytes: int = 0) -> MemoryPlan:
    whole = plan_subject(subject_of(TINYLLAVA, recipe("q4")), target("rtx3050"), recipe("q4"))
    return replace(
        whole, parts=PARTS, target=replace(whole.target, memory_bytes=memory_bytes, reserved_bytes=reserved_bytes)
    )


def test_a_side_counts_what_is_there_by_then() -> None:
    side = Side("memory", PARTS, 2000, 500)
    assert (side.static_bytes, side.dynamic_bytes, side.needed_bytes) == (1100, 1120, 1123)
    assert (side.available_bytes, side.free_bytes, side.fits) == (1500, 377, True)
    assert replace(side, memory_bytes=1623).fits
    assert not replace(side, memory_bytes=1622).fits
    assert replace(side, memory_bytes=400).available_bytes == 0


def test_a_host_of_which_nothing_is_known_fits_and_says_so() -> None:
    document = Side("host", PARTS, 0, 0).document()
    assert document["fits"]
    assert document["memory_bytes"] is document["free_bytes"] is None


def test_memory_of_its_own_is_a_side_and_the_host_s_another() -> None:
    device, host = plan(memory_bytes=2000).sides
    assert (device.name, device.needed_bytes, host.name, host.needed_bytes) == ("device", 120, "host", 1003)
    apart = plan(memory_bytes=120)
    assert apart.fits
    assert (apart.static_bytes, apart.dynamic_bytes, apart.free_bytes) == (100, 120, 0)
    assert not plan(memory_bytes=120, reserved_bytes=1).fits


def test_one_memory_is_one_side() -> None:
    apart = plan(memory_bytes=1122)
    shared = replace(apart, target=replace(apart.target, unified=True))
    (side,) = shared.sides
    assert side.needed_bytes == total(PARTS) == sum(shared.components.values()) == 1123
    assert not shared.fits


@pytest.mark.parametrize(
    ("limit", "size", "says"),
    [
        ("static_bytes", 100, "100 B after loading is over rtx3050's static budget of 99 B"),
        ("dynamic_bytes", 120, "120 B while answering is over rtx3050's dynamic budget of 119 B"),
        ("memory_bytes", 120, "120 B at most is over rtx3050's memory budget of 119 B"),
        ("disk_bytes", 27, "27 B on the device's disk is over rtx3050's disk budget of 26 B"),
    ],
)
def test_a_limit_is_broken_by_a_byte_more(limit: str, size: int, says: str) -> None:
    kept = replace(plan(memory_bytes=GIB), disk=Disk(1000, 10, 1, 5, exact=True))
    for less in (0, 1):
        budget = replace(Budget(), **{limit: size - less})
        assert replace(kept, target=replace(kept.target, budget=budget)).over_budget == (says,) * less


def test_peaks_of_building_are_not_counted_among_what_answers() -> None:
    before = plan(memory_bytes=GIB)
    after = replace(before, building=replace(before.building, compile_bytes=50 * GIB))
    assert after.fits
    assert after.document()["building"] != before.document()["building"]
