"""A split of a set, and its digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgekit.vqa.dataset import Dataset, LeftOut
from edgekit.vqa.item import Item

ITEM = Item(id=7, question="Is it?", images=("a.png",), answer="yes", closed=True, organ="CHEST")
SET = Dataset(
    title="VQA-RAD",
    form="vqa-rad",
    split="test",
    source=Path("test.json"),
    folder=Path(),
    items=(ITEM,),
    left_out=(LeftOut("x", "it has no answer"),),
)


def test_the_digest_is_of_what_is_asked_wherever_it_was_read() -> None:
    assert SET.digest == replace(SET, source=Path("other.json"), folder=Path("elsewhere"), split="all").digest
    for other in (replace(ITEM, answer="no"), replace(ITEM, images=("b.png",)), replace(ITEM, closed=False)):
        assert replace(SET, items=(other,)).digest != SET.digest


def test_a_document_says_what_is_not_asked() -> None:
    document = SET.document()
    assert document["items"] == 1
    assert document["left_out"] == [{"id": "x", "reason": "it has no answer"}]
    assert document["digest"] == SET.digest


def test_half_a_character_has_a_digest() -> None:
    assert len(replace(SET, items=(replace(ITEM, answer="\ud800"),)).digest) == 64
