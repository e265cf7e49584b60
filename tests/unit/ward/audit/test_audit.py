"""A line for each act, a head for each line, and the head to the system's log once a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.head import Head
from edgekit.ward.audit.verify import lines, verify
from tests.audits import KEY, opened, ticking
from tests.unit.ward.audit.test_answered import ANSWERED


def test_what_is_noted_is_read_again(tmp_path: Path) -> None:
    audit = opened(tmp_path)
    head = audit.note("conversation_read", "account anna", conversation="c1", again=False)
    (line,) = lines(tmp_path, KEY)
    assert head == Head(line.seq, line.mac)
    assert line.fields["who"] == "account anna"
    assert (line.fields["event"], line.fields["conversation"], line.fields["again"]) == (
        "conversation_read",
        "c1",
        False,
    )
    assert audit.answered(ANSWERED).seq == 2
    assert [*lines(tmp_path, KEY)][1].fields["bundle"] == "ab" * 32
    assert verify(tmp_path, KEY).lines == 2


def test_what_no_line_may_hold_is_none(tmp_path: Path) -> None:
    audit = opened(tmp_path)
    with pytest.raises(ValueError, match="none that a line"):
        audit.note("asked", "account anna", conversation="Mr Smith")
    with pytest.raises(ValueError, match="no name"):
        audit.note("asked", "")
    assert verify(tmp_path, KEY).lines == 0


def test_the_head_is_told_with_the_first_line_of_a_day(tmp_path: Path) -> None:
    told: list[tuple[Head, str]] = []
    clock = ticking(40_000)
    audit = Audit.open(tmp_path, KEY, clock=clock, tell=lambda head, day: told.append((head, day)))
    heads = [audit.note("sign_in", "account anna") for _ in range(4)]
    assert told == [(heads[0], "2026-11-30"), (heads[2], "2026-12-01")]
    for head in heads:
        assert verify(tmp_path, KEY, head).ok
