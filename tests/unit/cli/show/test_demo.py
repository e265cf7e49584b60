"""What came of each step of the demo, in its lines and tables, and the commands that go on from there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgekit.cli.show.demo import show_next, show_step
from edgekit.console import Console
from edgekit.demo import STEPS
from tests.rendered import rows
from tests.unit.cli.steps import made_up
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]


def show() -> None:
    console = Console()
    for name, step in zip(STEPS, made_up(Path("a folder/x")), strict=True):
        show_step(console, name, step)
    show_next(console, "a folder/x/q4", "a folder/x/phantom.png")


def test_every_step_has_its_figures_and_then_comes_what_to_do_next(capsys: Capture) -> None:
    show()
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "Plan llava-phantom, 4.67 million parameters",
        "vision 2.00 MiB 96.0 KiB",
        "Build q4 for cpu in 1.3 s: 3.00 MiB, sealed, compiled, verified",
        "Check 47 of 50 right in 0.8 s: closed 28/30, open 19/20",
        "Python and libraries 30.0 MiB 20.0 MiB 50.0 MiB",
        "with the model loaded 40.0 MiB 25.0 MiB 65.0 MiB",
        "at its peak 50.0 MiB 27.0 MiB 77.0 MiB",
        "load 71 ms",
        "speed 802 tokens/s",
        "Is the heart enlarged? yes yes ✓",
        "Where is the nodule? on the right on the left ✗",
        "edgekit ask 'a folder/x/q4' --chat --image 'a folder/x/phantom.png'",
        "edgekit build CHECKPOINT --target cpu",
    ):
        assert line in lines


def test_all_is_the_sum_of_the_parts(capsys: Capture) -> None:
    show()
    table = rows(capsys.readouterr().out)
    assert ["decoder", "3.00 MiB", "160 KiB"] in table
    assert ["all", "5.00 MiB", "256 KiB"] in table


def test_headings_and_marks_have_colours_where_they_are_seen(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    show()
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    show()
    assert "\x1b[1mPlan" in terminal.getvalue()
    assert "\x1b[32m✓" in terminal.getvalue()
    assert "\x1b[31m✗" in terminal.getvalue()
    monkeypatch.setattr(sys, "stdout", plain := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    show()
    assert "\nBuild    q4" in plain.getvalue()
    assert "\x1b[3" not in plain.getvalue()
