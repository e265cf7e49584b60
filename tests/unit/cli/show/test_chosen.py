"""Which bundle was chosen, in sentences."""

from __future__ import annotations

import pytest

from edgekit.cli.show.chosen import show_choice
from edgekit.console import Console
from edgekit.report.choose import Choice


def test_the_chosen_one_comes_first_then_what_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    show_choice(
        Console(),
        Choice(
            chosen="a",
            accuracy=61.25,
            columns=("VQA-RAD closed",),
            given_up=("b is better",),
            cheaper=("c saves much",),
            not_compared=(),
        ),
    )
    assert capsys.readouterr().out.splitlines() == [
        "a: 61.2 %, the mean of VQA-RAD closed",
        "Given up: b is better",
        "Cheaper: c saves much",
    ]
