"""What was exported is counted, and what to look at is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.cli.show.feedback import show_exported
from edgekit.console import Console
from edgekit.ward.corrections import ExportedFeedback

Capture = pytest.CaptureFixture[str]
OUT = Path("out")


@pytest.mark.parametrize(
    ("exported", "words", "left_out"),
    [
        (ExportedFeedback(OUT, 0, 0, 0), ["Nobody has judged"], ["read them"]),
        (ExportedFeedback(OUT, 3, 0, 2), ["agree on: 3", "pictures: 2", "read them"], ["undecided"]),
        (ExportedFeedback(OUT, 3, 1, 2), ["1 others lie in out/undecided"], ["Nobody"]),
    ],
)
def test_what_was_exported(exported: ExportedFeedback, words: list[str], left_out: list[str], capsys: Capture) -> None:
    show_exported(Console(), exported)
    out = capsys.readouterr().out
    assert all(word in out for word in words)
    assert not any(word in out for word in left_out)
