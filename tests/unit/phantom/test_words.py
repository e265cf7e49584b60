"""How findings and their places are named."""

from __future__ import annotations

from typing import get_args

import pytest

from edgekit.phantom.scene import Finding, Kind
from edgekit.phantom.words import NOUNS, a, description, listed, name, phrase, place


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding("nodule", "left", "upper"), "in the left upper zone"),
        (Finding("consolidation", "right", "lower"), "in the right lower zone"),
        (Finding("effusion", "right", "lower"), "on the right"),
        (Finding("pacemaker", "left", "upper"), "on the left"),
    ],
)
def test_a_place_is_as_exact_as_its_kind_can_vary(finding: Finding, words: str) -> None:
    assert place(finding) == words
    assert phrase(finding) == f"{name(finding.kind)} {words}"


def test_a_heart_has_no_place() -> None:
    assert phrase(Finding("heart")) == "an enlarged heart"
    with pytest.raises(AssertionError, match="no place"):
        place(Finding("heart"))


def test_every_kind_has_words_and_an_article() -> None:
    assert NOUNS.keys() == set(get_args(Kind))
    assert (a("effusion"), a("nodule")) == ("an effusion", "a nodule")


@pytest.mark.parametrize(
    ("items", "text"), [([], "nothing"), (["x"], "x"), (["x", "y"], "x and y"), (["x", "y", "z"], "x, y and z")]
)
def test_a_list_ends_with_and(items: list[str], text: str) -> None:
    assert listed(items) == text


def test_a_picture_in_one_sentence() -> None:
    assert description([]) == "There are no findings."
    both = [Finding("heart"), Finding("tube", "left", "lower")]
    assert description(both) == "There is an enlarged heart and a chest tube on the left."
