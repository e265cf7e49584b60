"""Which answers a question names: hand-worked questions of the sets, in their own wording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.confidence.alternatives import YES_NO, alternatives, is_polar
from edgekit.evaluate.answers import normal
from edgekit.evaluate.phantoms import questions


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Is it on the left or on the right?", ("left", "right")),
        ("Is the heart enlarged?", YES_NO),
        ("Does this patient have a pneumothorax?", YES_NO),
        ("Is/Are there gallstones?", YES_NO),
        ("is this a CT or an MRI?", ("ct", "mri")),
        ("Was a CT or MRI used to take the above image?", ("ct", "mri")),
        ("Heart size: normal or enlarged?", ("normal", "enlarged")),
        ("In the left upper zone, do you see a pacemaker or a chest tube?", ("pacemaker", "chest tube")),
        ("Left or right: the nodule?", ("left", "right")),
        ("Is this an axial, coronal, or sagittal view?", ("axial", "coronal", "sagittal view")),
        ("Is the lesion in the left lung or right lung?", ("left lung", "right lung")),
        ("Where is the nodule?", ()),
        ("What is the modality?", ()),
        ("Isolated or not, what is it?", ("isolated", "not")),
        ("Is it a, b, c, d or e?", YES_NO),
        ("Is it left or left?", YES_NO),
        ("", ()),
    ],
)
def test_a_question_names_its_answers(question: str, named: tuple[str, ...]) -> None:
    assert alternatives(question) == named


def test_every_closed_question_about_phantoms_names_its_right_answer_and_no_open_one_names_any() -> None:
    for each in questions(1200):
        named = alternatives(each.question.text)
        right = normal(each.question.answer)
        assert any(name.startswith(right) or right.endswith(name) for name in named) == (each.question.form == "closed")


@given(st.text())
def test_whatever_is_asked_names_two_or_three_things_or_none(question: str) -> None:
    named = alternatives(question)
    assert len(named) in (0, 2, 3)
    assert len(set(named)) == len(named)
    assert all(name == name.strip() and name for name in named)


@pytest.mark.parametrize(
    ("question", "polar"), [("Is it?", True), ("Can you see it?", True), ("Isolated?", False), ("", False)]
)
def test_an_auxiliary_verb_is_a_whole_word(question: str, polar: bool) -> None:
    assert is_polar(question) is polar
