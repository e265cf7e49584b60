"""What is said of a question's figure, in the forms in which rows say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.evaluate.judge.figures import Figure, figures_of
from edgekit.vqa.read import read
from tests import question_sets

CAPTION = "A film of the chest."


def test_each_question_has_its_figure(tmp_path: Path) -> None:
    figures = figures_of(read(question_sets.conversation(tmp_path), "all"))
    film = Figure(CAPTION, ("Fig. 1 has an effusion.",))
    assert figures == {0: film, 1: film, 2: Figure("A scan.")}


def test_a_row_without_an_id_is_found_by_its_place_as_its_question_is(tmp_path: Path) -> None:
    file = question_sets.conversation(tmp_path)
    rows = [{**row, "question_id": None} for row in question_sets.conversation_rows()]
    file.write_text("\n".join(map(json.dumps, rows)))
    dataset = read(file, "all")
    assert list(figures_of(dataset)) == [item.id for item in dataset.items] == [1, 2, 3]


@pytest.mark.parametrize(
    ("mentions", "texts"),
    [
        (None, ()),
        ("", ()),
        (" One. ", ("One.",)),
        (["One.", "", "Two."], ("One.", "Two.")),
        ([{"tag": "x", "text": "One."}], ("One.",)),
        ({"1": ["One."], "2": "Two."}, ("One.", "Two.")),
    ],
)
def test_what_an_article_says_of_it(tmp_path: Path, mentions: object, texts: tuple[str, ...]) -> None:
    file = question_sets.conversation(tmp_path)
    file.write_text(json.dumps({**question_sets.conversation_rows()[0], "in_text_mention": mentions}))
    assert figures_of(read(file, "all")) == {0: Figure(CAPTION, texts)}


@pytest.mark.parametrize(("key", "value"), [("fig_caption", 3), ("in_text_mention", 3), ("in_text_mention", [3])])
def test_what_is_no_text_is_refused(tmp_path: Path, key: str, value: object) -> None:
    file = question_sets.conversation(tmp_path)
    file.write_text(json.dumps({**question_sets.conversation_rows()[0], key: value}))
    with pytest.raises(InputError, match=f"Entry 1 of .*'{key}'"):
        figures_of(read(file, "all"))


def test_another_set_has_no_captions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is LLaVA, which has no captions"):
        figures_of(read(question_sets.llava(tmp_path), "test"))


def test_whether_anything_is_told() -> None:
    assert [Figure("").told, Figure("A scan.").told, Figure("", ("It.",)).told] == [False, True, True]
