"""The judgement of figures: which component is named, and what is advised for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.check import Checked
from edgekit.check.check import PARTS, _stored, judge
from edgekit.check.components import ComponentFigures
from edgekit.check.golden import PICTURE, GoldenSequence
from edgekit.check.make import ids_of
from edgekit.check.measure import Figures
from edgekit.recipe import Method, recipe
from tests.fake_engine import image_prompt
from tests.unit.check.case import BUNDLE, FIGURES, GOLDEN, PERFECT

GATE = recipe("q4").gate
GOOD = ComponentFigures(name="projector", error=0.0, loss=0.0)


def judged(*measured: ComponentFigures, whole: Figures = PERFECT, by: str = "q4", method: Method = "rtn") -> Checked:
    wanted = replace(recipe(by), method=method, gate=GATE)
    bundle = replace(BUNDLE, manifest=replace(BUNDLE.manifest, recipe=wanted))
    return judge(bundle, GOLDEN, whole, measured, sums="float32")


def test_nothing_is_named_where_nothing_falls_short() -> None:
    kept = judged(GOOD, ComponentFigures(name="vision", error=GATE.error * 0.9))
    assert (kept.passed, kept.worst, kept.advice) == (True, "", "")


def test_the_component_that_broke_its_limits_most_is_named() -> None:
    bad = ComponentFigures(name="vision", error=2 * GATE.error)
    worse = ComponentFigures(name="decoder", error=3 * GATE.error)
    assert judged(GOOD, bad, worse).worst == judged(worse, GOOD, bad).worst == "decoder"
    assert judged(GOOD, bad).worst == "vision"


def test_where_only_the_whole_falls_short_the_component_nearest_its_limit_is_the_first_to_try() -> None:
    near = ComponentFigures(name="vision", error=0.0, loss=GATE.loss * 0.9)
    short = judged(GOOD, near, whole=FIGURES)
    assert all(component.passed for component in short.components)
    assert (short.passed, short.worst) == (False, "vision")


@pytest.mark.parametrize(
    ("by", "method", "words"),
    [
        ("q4", "rtn", ["--calibrate DATA", 'decoder = "int8"']),
        ("q4", "awq+gptq", ["Keep the decoder wider", 'decoder = "int8"']),
        ("q8", "rtn", ["Keep the decoder wider", 'decoder = "fp16"']),
        ("fp16", "rtn", ['decoder = "fp32"']),
        ("fp32", "rtn", ["Build the bundle again"]),
    ],
)
def test_a_loss_is_met_by_the_next_wider_precision(by: str, method: Method, words: list[str]) -> None:
    advice = judged(ComponentFigures(name="decoder", error=0.0, kl=2 * GATE.kl), by=by, method=method).advice
    assert all(word in advice for word in words)
    assert ("--calibrate" in advice) == ("--calibrate DATA" in words)


@pytest.mark.parametrize(
    "measured",
    [
        ComponentFigures(name="vision", error=2 * GATE.error),
        ComponentFigures(name="projector", error=0.0, offset=2 * GATE.offset),
        ComponentFigures(name="vision", error=0.0, fault="a dead scale"),
    ],
)
def test_what_does_not_compute_its_own_weights_needs_no_wider_ones(measured: ComponentFigures) -> None:
    advice = judged(measured).advice
    assert f"The {measured.name} does not compute here what its weights say" in advice
    assert "wider" not in advice


def test_pictures_and_templates_have_no_precision() -> None:
    wrong = judged(ComponentFigures(name="template", error=0.5))
    assert wrong.worst not in PARTS
    assert "does not compute" in wrong.advice


def test_the_prompt_that_was_stored_is_read_with_the_pictures_of_the_one_that_was_written() -> None:
    written = image_prompt("Is it ", 9, "?")
    sequence = GoldenSequence("Is it?", 0, (7, PICTURE, 8), ())
    stored = _stored(sequence, written)
    assert ids_of(stored) == sequence.prompt
    assert stored.images == written.images
