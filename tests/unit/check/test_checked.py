"""What a check says of itself: passed or not, what fell short in one sentence, and the refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.check import require_answers
from edgekit.check.limits import Limit
from edgekit.check.measure import UNUSABLE
from edgekit.errors import GateRefused
from tests.unit.check.case import DECODER, VISION, checked

FAULTY = replace(DECODER, measured=replace(DECODER.measured, fault="a layer has a dead scale"))
WHOLE = Limit("KL", 0.3, 0.1)


def test_what_keeps_its_limits_passes_and_says_nothing() -> None:
    kept = checked(DECODER, limits=(replace(WHOLE, measured=0.1),))
    assert (kept.passed, kept.shortfall, kept.document()["passed"]) == (True, "", True)
    require_answers(kept)


def test_every_limit_that_was_broken_is_named_and_no_other() -> None:
    broken = checked(DECODER, VISION, limits=(WHOLE, Limit("top-1", 1.0, 0.9, least=True)))
    assert broken.shortfall == (
        "The answers fall short of the reference's: KL 0.3, at most 0.1, vision: error 0.2, at most 0.1; "
        "the worst component: vision"
    )
    with pytest.raises(GateRefused) as refused:
        require_answers(broken)
    assert (refused.value.message, refused.value.hint) == (broken.shortfall, "Widen it.")


def test_a_fault_is_worse_than_any_figure() -> None:
    assert (FAULTY.passed, FAULTY.badness) == (False, UNUSABLE)
    assert DECODER.badness == pytest.approx(0.5)
    assert VISION.badness == pytest.approx(2)
    faulty = checked(FAULTY)
    assert not faulty.passed
    assert "decoder: a layer has a dead scale" in faulty.shortfall
    assert not faulty.document()["components"][0]["passed"]


def test_the_very_tokens_are_those_of_every_sequence() -> None:
    both = checked(DECODER)
    assert both.very_tokens
    assert not replace(both, figures=replace(both.figures, same_tokens=1)).very_tokens


def test_what_it_was_held_against_is_said_in_words() -> None:
    assert checked().beside == "unquantized model"
    assert replace(checked(), reference="as stored").beside == "checkpoint as it is stored"
