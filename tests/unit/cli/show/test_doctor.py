"""A doctor's report: marks, a subject said once, and each command once with all that it mends."""

from __future__ import annotations

import pytest

from edgekit.cli.show.doctor import show_report
from edgekit.console import Console
from edgekit.doctor import Diagnosis, Report
from tests.rendered import rows

DIAGNOSES = (
    Diagnosis("gpu", "bad", "no driver", "install it"),
    Diagnosis("gpu", "unknown", "no answer", "wait"),
    Diagnosis("cuda", "bad", "none", "install it"),
    Diagnosis("clock", "bad", "it is late"),
    Diagnosis("disk", "good", "large enough", "tidy up"),
)


def test_each_finding_has_a_mark_and_a_subject_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Console(), Report("orin", "orin", DIAGNOSES))
    table = rows(capsys.readouterr().out)
    assert table[0] == ["For target 'orin'"]
    assert table[2:7] == [
        ["✗", "gpu", "no driver"],
        ["?", "no answer"],
        ["✗", "cuda", "none"],
        ["✗", "clock", "it is late"],
        ["✓", "disk", "large enough"],
    ]


def test_commands_come_once_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Console(), Report("orin", "cpu", DIAGNOSES))
    out = capsys.readouterr().out
    assert out.startswith("For target 'orin'; this machine is 'cpu'\n")
    mending = [line for line in out[out.index("\nTo mend") :].splitlines() if line]
    assert mending == [
        "To mend",
        "  gpu, cuda: install it",
        "To find out",
        "  gpu: wait",
        "If you want",
        "  disk: tidy up",
        "3 bad, 1 unknown, 1 good.",
    ]


def test_a_machine_that_lacks_nothing_has_no_heading(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Console(), Report("orin", "orin", (Diagnosis("disk", "good", "large enough"),)))
    out = capsys.readouterr().out
    assert "To mend" not in out
    assert "If you want" not in out
    assert out.endswith("0 bad, 0 unknown, 1 good.\n")
