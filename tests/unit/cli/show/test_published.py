"""Published memory beside ours: a dash where nothing was published, a cross where nothing fits, and ratios."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.cli.show.published import show_published
from edgekit.console import Console
from edgekit.report.memory import MemoryReport, Ours, Variant
from edgekit.report.published import LLAVA_MED, TINYLLAVA
from edgekit.units import GIB
from tests.rendered import rows

OURS = Ours(
    static_bytes=2 * GIB, dynamic_bytes=3 * GIB, peak_bytes=4 * GIB, fits=True, static_ratio=0.5, dynamic_ratio=None
)
LARGE = Variant("LLaVA-Med", "q4", LLAVA_MED.variants["q4"], {"cpu": OURS, "orin": replace(OURS, fits=False)}, {})
SMALL = Variant("TinyLLaVA", "fp16", TINYLLAVA.variants["fp16"], {"cpu": OURS, "orin": OURS}, {})


def shown(capsys: pytest.CaptureFixture[str], *variants: Variant) -> list[list[str]]:
    show_published(Console(), MemoryReport(1, 2048, variants))
    return rows(capsys.readouterr().out)


def test_each_variant_has_two_lines_and_each_target_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, LARGE, SMALL)
    assert table[0] == ["GiB", "paper", "cpu", "orin"]
    assert table[1] == ["LLaVA-Med Q4", "static", "4.81", "2.00", "2.00 ✗"]
    assert table[2] == ["dynamic", "5.18", "3.00", "3.00 ✗"]
    assert table[3] == ["TinyLLaVA 16-bit", "static", "–", "2.00", "2.00"]
    assert not [row for row in table if "Measured" in row[0]]


def test_each_device_has_a_table_of_what_was_measured_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    measured = replace(LARGE, measured={"b card, 1 × 2048": OURS, "a card, 2 × 1024": OURS})
    table = shown(capsys, measured, SMALL)
    headings = [row[0] for row in table if row[0].startswith("Measured")]
    assert headings == ["Measured on a card, 2 × 1024 tokens", "Measured on b card, 1 × 2048 tokens"]
    begin = table.index([headings[0]])
    assert table[begin + 1 : begin + 4] == [
        ["GiB", "paper", "measured", "of paper's", "highest"],
        ["LLaVA-Med Q4", "static", "4.81", "2.00", "50 %"],
        ["dynamic", "5.18", "3.00", "–", "4.00"],
    ]
