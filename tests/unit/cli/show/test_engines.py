"""A report of engines in tables: what plans took, what was measured, and the sentences below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.check.verdict import Verdict
from edgekit.cli.show.engines import show_engines
from edgekit.console import Console
from edgekit.engines.place import Place
from edgekit.profile.record import RowRate
from edgekit.report.runs import EnginesReport, Run
from tests.rendered import rows
from tests.unit.check.case import PERFECT
from tests.unit.pipeline.case import RECORD
from tests.unit.profile.made import spread
from tests.unit.report.test_runs import run, speed

PLACE = Place(engine="tensorrt", version="10", arch="x86_64", device="a card")
ASKED = Verdict(
    checked_at="2026-11-01T12:00:00Z", place=PLACE, shortfall="", figures=PERFECT, components=(), first_load_s=1.0
)
PLANNED = run(
    "q4",
    place=PLACE,
    plans={"decoder": RECORD, "vision": replace(RECORD, seconds=3.4, peak_bytes=5 << 20)},
    width=0.52,
    check=ASKED,
)


def shown(capsys: pytest.CaptureFixture[str], *runs: Run) -> list[list[str]]:
    show_engines(Console(), EnginesReport(runs))
    return rows(capsys.readouterr().out)


def test_plans_are_added_up_but_for_their_peaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, PLANNED)[2] == [
        "llava q4", "tensorrt 10", "rtx3050", "2.00 MiB", "0.520", "5 s", "5.00 MiB", "100.0 %"
    ]  # fmt: skip
    unasked = shown(capsys, replace(PLANNED, check=None, width=None))[2]
    assert unasked[4:] == ["–", "5 s", "5.00 MiB", "–"]


def test_answers_that_fall_short_are_marked_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    short = replace(ASKED, shortfall="The answers fall short", figures=replace(PERFECT, top1_decided=0.5))
    table = shown(capsys, replace(PLANNED, check=short, doubts=("odd",), misfit="another driver"))
    assert table[2][-1] == "50.0 % ✗"
    assert table[3:] == [
        ["/b/q4, on a card: not used where this was told: another driver"],
        ["/b/q4, on a card: odd"],
        ["/b/q4, on a card: The answers fall short"],
    ]


def test_what_was_measured_of_one_row_and_of_the_most(capsys: pytest.CaptureFixture[str]) -> None:
    measured = shown(capsys, run("q8", 40.0, beside_fp16=1.5))[2]
    assert measured == [
        "llava q8", "tensorrt 10", "2000 ms", "40 (4: 120)", "1.50 times", "50 %", "1.00 GiB", "1.00 GiB"
    ]  # fmt: skip
    alone = run("q8", speed=speed(40.0, rows=(RowRate(1, spread(40.0)),), shares=(0.5,)))
    assert shown(capsys, alone)[2][3:5] == ["40", "–"]


def test_each_device_has_its_tables_and_the_slow_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, run("fp16", 40.0), run("q4", 30.0, beside_fp16=0.75), run("q4", 9.0, device="b card"))
    headings = [row[0] for row in table if len(row) == 1 and row[0].endswith("card")]
    assert headings == ["a card", "b card"]
    assert table[-1][0].startswith("/b/q4, on a card: by q4 it decodes no faster than by fp16 (0.75 times)")
