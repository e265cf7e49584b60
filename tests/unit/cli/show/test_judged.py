"""Judged answers side by side: scores by bucket, what has none and why, and the cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.judged import show_judged
from edgekit.console import Console
from edgekit.evaluate.judge.judged import Judged, Tokens
from edgekit.vqa.dataset import LeftOut
from edgekit.vqa.item import Item
from tests.rendered import rows

ITEMS = tuple(
    Item(id=number, question="?", images=(f"{number}.png",), answer="a", closed=False, question_type="conversation",
         modality="ct_scan")
    for number in range(20)
)  # fmt: skip
JUDGED = Judged(
    url="http://a/v1",
    model="m",
    swap=False,
    items=ITEMS,
    scores={0: 50.0, 1: 50.0},
    refused=tuple(LeftOut(number, "no") for number in range(2, 15)),
    unparseable=(),
    unjudged=(),
    tokens=Tokens(100, 20, 0),
)
OUT = Path("x/out.predictions.jsonl")


def test_scores_stand_beside_each_other_with_what_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(JUDGED, scores={}, refused=(), unparseable=(LeftOut(1, "8"),), tokens=Tokens(7, 8, 9), swap=True)
    show_judged(Console(), {"q4": JUDGED, "q8": other}, OUT)
    printed = capsys.readouterr()
    shown = rows(printed.out)
    for row in (
        ["overall", "50.0 [50.0, 50.0] (2)"],
        ["conversation", "50.0 [50.0, 50.0] (2)"],
        ["ct scan", "50.0 [50.0, 50.0] (2)"],
        ["refused", "13", "0"],
        ["unparseable", "0", "1"],
        ["tokens read", "100", "7"],
        ["tokens written", "20", "8"],
        ["replies of unknown cost", "0", "9"],
    ):
        assert row in shown
    assert "not judged" not in printed.out
    assert "Judgements: x/out.judgements.jsonl" in printed.out
    assert "Judged by m at http://a/v1, the reference first" in printed.out


def test_reasons_are_told_ten_of_a_kind_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    show_judged(Console(), {"q4": JUDGED}, OUT)
    few = capsys.readouterr().err
    assert (few.count("q4, refused, "), "3 more" in few) == (10, True)
    show_judged(Console(verbose=True), {"q4": JUDGED}, OUT)
    assert capsys.readouterr().err.count("q4, refused, ") == 13


def test_one_picture_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    show_judged(Console(), {"q4": replace(JUDGED, scores={0: 50.0})}, OUT)
    assert ["overall", "50.0 (1)"] in rows(capsys.readouterr().out)


def test_nothing_is_shown_where_nobody_judged(capsys: pytest.CaptureFixture[str]) -> None:
    show_judged(Console(), {}, OUT)
    assert capsys.readouterr() == ("", "")
