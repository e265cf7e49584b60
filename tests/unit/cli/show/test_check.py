"""A check's tables and its one line, against the figures and limits that it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.check.limits import Limit
from edgekit.cli.show.check import check_line, show_checked
from edgekit.console import Console
from tests.rendered import rows
from tests.unit.check.case import DECODER, FIGURES, VISION, checked

WHOLE = (Limit("top-1 where decided", 0.8, 0.9, least=True), Limit("KL", 0.05, 0.1))


def test_each_figure_stands_beside_its_limit_with_a_mark(capsys: pytest.CaptureFixture[str]) -> None:
    faulty = replace(DECODER, measured=replace(DECODER.measured, fault="a dead scale"))
    show_checked(Console(), checked(VISION, faulty, figures=FIGURES, limits=WHOLE))
    out = capsys.readouterr().out
    shown = rows(out)
    assert shown[0] == ["2 answers, 20 positions, beside the unquantized model"]
    assert ["✗", "top-1 where decided", "0.8", "≥ 0.9"] in shown
    assert ["✓", "KL", "0.05", "≤ 0.1"] in shown
    assert ["top-1 everywhere", "0.5"] in shown
    assert ["✗", "vision", "error", "0.2", "≤ 0.1"] in shown
    assert ["✓", "decoder", "KL", "0.05", "≤ 0.1"] in shown
    assert ["✗", "a dead scale"] in shown
    assert "2 of 2 answers are the very tokens that onnxruntime 1.0 gave" in out


def test_a_component_s_name_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    both = replace(VISION, limits=(*VISION.limits, Limit("loss", 0.01, 0.1)))
    show_checked(Console(), checked(both))
    assert capsys.readouterr().out.count("vision") == 1


@pytest.mark.parametrize("stood_in", [False, True])
def test_a_processor_that_stands_in_for_a_gpu_is_told(stood_in: bool, capsys: pytest.CaptureFixture[str]) -> None:
    show_checked(Console(), replace(checked(DECODER), stood_in=stood_in))
    assert ("engines of a GPU were not asked" in capsys.readouterr().out) == stood_in


def test_one_line_says_it_all() -> None:
    assert check_line(checked(figures=FIGURES)) == (
        "Checked: top-1 80.0 % of 20 decided positions, KL 0.1, perplexity x1.300 beside the unquantized model"
    )
