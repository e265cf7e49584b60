"""Phantoms as a set: the same pictures, by names, and the same ids as where they are written to a folder."""

from __future__ import annotations

import json
from pathlib import Path

from edgekit.evaluate.phantom_set import phantom_set
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.phantom import draw
from edgekit.phantom.folder import write_folder

ASKED = questions(12)


def test_a_row_s_picture_is_its_phantom_drawn() -> None:
    asked = phantom_set(ASKED)
    assert len(asked.rows) == 12
    for row, each in list(zip(asked.rows, ASKED, strict=True))[::5]:
        picture = asked.pictures.picture(row, 0)
        assert picture == Picture.of(draw(each.scene))
        assert asked.pictures.digests(row) == [picture.digest]


def test_items_are_those_of_the_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", "llava", "test", 2)
    rows = json.loads((tmp_path / "set" / "conversations.json").read_text())
    items = phantom_set(ASKED).dataset.items
    assert [(str(item.id), item.answer, item.closed) for item in items] == [
        (row["id"], row["conversations"][1]["value"], row["answer_type"] == "CLOSED") for row in rows
    ]
    assert [item.question_type for item in items] == [each.question.topic for each in ASKED]


def test_a_phantom_may_be_come_back_to() -> None:
    items = phantom_set([*ASKED, *ASKED]).dataset.items
    assert len({item.id for item in items}) == 24
    assert phantom_set(ASKED).dataset.document()["form"] == "phantoms"
