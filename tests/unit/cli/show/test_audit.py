"""People see how far an audit goes, and what a crash left is no alarm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.audit import show_head, show_replayed, show_verified
from edgekit.console import Console
from edgekit.ward.audit.replay import Replayed
from edgekit.ward.audit.segments import segments
from edgekit.ward.audit.verify import verify
from tests.audits import KEY, opened, written

Capture = pytest.CaptureFixture[str]


def test_a_head_stands_on_a_line_of_its_own(tmp_path: Path, capsys: Capture) -> None:
    opened(tmp_path)
    show_head(Console(), verify(tmp_path, KEY))
    assert "has 0 lines. Write" in capsys.readouterr().out
    head = written(tmp_path, 3)[-1]
    show_head(Console(), verify(tmp_path, KEY))
    out = capsys.readouterr().out
    assert out.startswith(f"{head}\n")
    assert "3 lines, the last of 2026-11-30T12:00:02" in out


def test_what_is_whole_and_what_is_not(tmp_path: Path, capsys: Capture) -> None:
    written(tmp_path, 3)
    show_verified(Console(), verify(tmp_path, KEY))
    assert "Whole: 3 lines in 1 file, written from 2026" in capsys.readouterr().out
    path = segments(tmp_path)[0]
    content = path.read_bytes()
    path.write_bytes(content + b"{")
    show_verified(Console(), verify(tmp_path, KEY))
    captured = capsys.readouterr()
    assert captured.out.startswith("Whole: 3 lines")
    assert "1 bytes behind the last line" in captured.err
    path.write_bytes(content.replace(b'"c1"', b'"c2"'))
    show_verified(Console(), verify(tmp_path, KEY))
    assert "Not whole: 1 lines in 1 file" in capsys.readouterr().out


def test_an_answer_that_is_the_same_and_one_that_parts(capsys: Capture) -> None:
    equal = Replayed(turn="t", verdict="equal", code="", explanation="Same.", line=3, time="2026", tokens=9)
    show_replayed(Console(), equal)
    out = capsys.readouterr().out
    assert "Line 3 of the audit: an answer of 9 tokens" in out
    assert "Equal. Same." in out
    show_replayed(Console(), replace(equal, verdict="differs", code="answer", character=17))
    out = capsys.readouterr().out
    assert "part behind 17 characters" in out
    assert "Equal" not in out
    show_replayed(Console(), replace(equal, verdict="unknown", code="no_line", line=0))
    assert not capsys.readouterr().out
