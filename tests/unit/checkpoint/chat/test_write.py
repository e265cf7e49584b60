"""A conversation by the pieces of a template, put together by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.spec import TemplateSpec

TEMPLATE = TemplateSpec(name="t", system="S|", user="U:{}\n", opening="A:", reply=" {}\n")


def test_turns_follow_each_other() -> None:
    assert write(TEMPLATE, [Spoken("Q1", "R1"), Spoken("Q2")]) == "S|U:Q1\nA: R1\nU:Q2\nA:"


def test_each_picture_has_its_mark_before_the_question() -> None:
    assert write(TEMPLATE, [Spoken("Q", None, 2)]) == f"S|U:{TEMPLATE.image * 2}Q\nA:"
    marked = replace(TEMPLATE, image="<image>\n", image_before="<b>", image_after="<e>")
    assert write(marked, [Spoken("Q", None, 1)]) == "S|U:<b><image><e>\nQ\nA:"
    assert write(replace(TEMPLATE, image="<image>", pictured="P[{}|{}]"), [Spoken("Q", None, 1)]) == "S|P[<image>|Q]A:"


@pytest.mark.parametrize(
    ("trim", "text"),
    [
        ((), "S|U: Q \nA:  R \nU:X\nA:"),
        (("question",), "S|U:Q\nA:  R \nU:X\nA:"),
        (("answer",), "S|U: Q \nA: R\nU:X\nA:"),
    ],
)
def test_what_is_trimmed_loses_its_blanks(trim: tuple[str, ...], text: str) -> None:
    assert write(replace(TEMPLATE, trim=trim), [Spoken(" Q ", " R "), Spoken("X")]) == text  # type: ignore[arg-type]


def test_answers_that_are_past_may_be_written_otherwise() -> None:
    assert write(replace(TEMPLATE, past="P:{};"), [Spoken("Q", "R"), Spoken("X")]) == "S|U:Q\nP:R;U:X\nA:"


def test_a_system_text_stands_in_its_place_alone() -> None:
    turns = [Spoken("Q", "R"), Spoken("X")]
    assert write(replace(TEMPLATE, system_turn="<{}>"), turns, " Be. ") == "< Be. >U:Q\nA: R\nU:X\nA:"
    inside = replace(TEMPLATE, system_inside="({})", trim=("system",))
    assert write(inside, turns, " Be. ") == "S|U:(Be.)Q\nA: R\nU:X\nA:"
    assert write(replace(TEMPLATE, system_turn="<{}>"), turns) == write(TEMPLATE, turns)
