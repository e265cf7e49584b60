"""Runs beside each other: which count, how a recipe does beside fp16, and what the slow ones hear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgekit.engines.place import Place
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition
from edgekit.profile.record import RowRate, SideMemory
from edgekit.recipe import Precision
from edgekit.report.runs import Run, Speed, beside_fp16, last, slow
from edgekit.units import GIB
from tests.unit.pipeline.case import RECORD
from tests.unit.profile.made import DEVICE, profile, spread

CARD = replace(DEVICE, gpu="a card")
DECODERS: dict[str, Precision] = {"fp16": "fp16", "q8": "int8", "q4": "int4"}


def speed(rate: float, day: int = 1, **changed: Any) -> Speed:
    plain = Speed(
        measured_at=f"2026-11-{day:02d}T12:00:00Z",
        device=CARD,
        slots=2,
        context=1024,
        times=profile().speed.times,
        rows=(RowRate(1, spread(rate)), RowRate(4, spread(3 * rate))),
        shares=(0.5, 0.4),
        memory=SideMemory("device", GIB, GIB, GIB, ""),
        load_s=1.0,
        after=Condition(),
    )
    return replace(plain, **changed)


def run(recipe: str, rate: float | None = None, day: int = 1, **changed: Any) -> Run:
    """A bundle at a path of its recipe's name, on the card."""
    plain = Run(
        bundle=f"/b/{recipe}",
        model="llava",
        recipe=recipe,
        decoder=DECODERS[recipe],
        target="rtx3050",
        engine="tensorrt 10",
        device="a card",
        told_by="ward",
        speed=None if rate is None else speed(rate, day),
    )
    return replace(plain, **changed)


def test_of_one_bundle_on_one_machine_the_last_counts_in_whatever_order() -> None:
    old, new = run("q4", 10, day=1), run("q4", 20, day=2)
    assert last([old, new]) == last([new, old]) == [new]
    told_later = replace(new, doubts=("told anew",))
    assert last([new, told_later]) == [told_later], "of the same time, the one that was told last"


def test_less_memory_of_the_same_machine_is_no_other_machine() -> None:
    limited = run("q4", speed=speed(5, day=2, device=replace(CARD, memory_bytes=GIB)))
    assert last([run("q4", 10), limited]) == [limited]


@pytest.mark.parametrize(
    "changed",
    [
        {"told_by": "theatre"},
        {"bundle": "/b/other"},
        {"engine": "tensorrt 11"},
        {"device": "another card"},
        {"place": Place(engine="tensorrt", version="10", arch="x86_64")},
        {"speed": speed(10, device=replace(CARD, driver="590"))},
    ],
)
def test_what_ran_elsewhere_or_otherwise_stays_beside_it(changed: dict[str, Any]) -> None:
    both = [run("q4", 10), replace(run("q4", 10), **changed)]
    assert last(both) == both


def test_plans_without_a_speed_stand_only_where_there_is_none_with_one() -> None:
    assert last([run("q4"), run("q4", 10)]) == [run("q4", 10)]
    assert last([run("q4")]) == [run("q4")]


def test_a_recipe_stands_beside_the_newest_fp16_of_the_same_engine_on_the_same_machine() -> None:
    narrow = run("q4", 30)
    others = [run("fp16", 40), run("fp16", 20, day=2, bundle="/b/newer"), run("q8", 99)]
    strangers = [
        run("fp16", 1, day=9, model="tinyllava"),
        run("fp16", 1, day=9, engine="tensorrt 11"),
        run("fp16", speed=speed(1, day=9, device=replace(CARD, driver="590"))),
        run("fp16"),
    ]
    assert beside_fp16(narrow, [narrow, *others, *strangers]) == 30 / 20
    assert beside_fp16(narrow, [narrow, *strangers]) is None
    assert beside_fp16(others[0], others) is None, "fp16 beside itself"
    assert beside_fp16(run("q4"), others) is None, "which was not measured"
    assert beside_fp16(narrow, [run("fp16", 0.0)]) is None, "a rate of nothing is no measure"


def told(*runs: Run) -> dict[str, str]:
    """What the slow ones of these hear, by their recipes."""
    beside = [replace(each, beside_fp16=beside_fp16(each, runs)) for each in runs]
    return {each.recipe: sentence for each, sentence in slow(beside)}


def test_narrow_weights_that_make_nothing_faster_are_told() -> None:
    said = told(run("fp16", 40), run("q8", 60), run("q4", 30))
    assert said.keys() == {"q4"}
    assert "no faster than by fp16 (0.75 times): tensorrt 10 multiplies int4 weights slowly" in said["q4"]
    assert said["q4"].endswith("Of fp16, q4, q8 the fastest is q8.")
    assert not told(run("fp16", 40), run("q4", 40)), "as fast is fast enough"


def test_of_q4_alone_q8_is_to_be_measured_and_of_q8_alone_nothing() -> None:
    assert told(run("fp16", 40), run("q4", 30))["q4"].endswith("the fastest is fp16; measure --recipe q8 as well.")
    assert "measure" not in told(run("fp16", 40), run("q8", 30))["q8"]


def test_the_advice_is_about_the_very_run() -> None:
    """Two bundles by one recipe: the fast one's speed is no advice for the slow one."""
    fast = run("q4", 50, day=2, bundle="/b/fast")
    assert "Of fp16, q4 the fastest is fp16" in told(run("fp16", 40), fast, run("q4", 30))["q4"]


@pytest.mark.parametrize(("arch", "advised"), [("x86_64", True), ("aarch64", False)])
def test_onnx_runtime_is_an_alternative_to_plans_where_it_has_kernels(arch: str, advised: bool) -> None:
    place = Place(engine="tensorrt", version="10", arch=arch)
    plans: dict[str, Any] = {"plans": {"decoder": RECORD}, "place": place}
    assert ("onnxruntime-cuda" in told(run("fp16", 40), run("q4", 30, **plans))["q4"]) == advised


@pytest.mark.parametrize("changed", [{"rows": ()}, {"shares": (0.5,)}])
def test_a_speed_has_a_share_for_each_of_its_rows(changed: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no rows"):
        speed(1, **changed)
