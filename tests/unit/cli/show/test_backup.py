"""People see what is in a backup, what came back, and what is left to do; what is wrong is loud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.backup import show_backed_up, show_restored
from edgekit.console import Console
from edgekit.ward.backup.here import BackedUp
from edgekit.ward.backup.make import Backup
from edgekit.ward.backup.restore import Restored

Capture = pytest.CaptureFixture[str]
BACKUP = Backup(
    place=Path("/mnt/usb/ward"), bytes=3 << 20, conversations=7, turns=9, pictures=5, head="12:ab", damaged=()
)
RESTORED = Restored(
    made="2026-11-30T12:00:00Z",
    conversations=6,
    turns=8,
    pictures=5,
    deleted=0,
    lost=0,
    missing=0,
    replaced=None,
    key=None,
    audit_kept=False,
)


def test_what_was_written(capsys: Capture) -> None:
    show_backed_up(Console(), BackedUp(BACKUP, None))
    captured = capsys.readouterr()
    assert "/mnt/usb/ward (3.00 MiB: 7 conversations, 9 questions, 5 pictures)" in captured.out
    assert "ends at 12:ab" in captured.out
    assert "Keys" not in captured.out
    assert not captured.err
    show_backed_up(Console(), BackedUp(replace(BACKUP, damaged=("ab12",)), Path("/safe/keys")))
    captured = capsys.readouterr()
    assert "Keys: /safe/keys. Keep it apart" in captured.out
    assert "picture ab12 is missing or damaged" in captured.err


def test_what_came_back(capsys: Capture) -> None:
    show_restored(Console(), RESTORED)
    captured = capsys.readouterr()
    assert captured.out == (
        "Restored: 6 conversations, 8 questions, 5 pictures, as of 2026-11-30T12:00:00Z. Everybody has to sign in "
        "anew.\n"
    )
    assert not captured.err
    more = replace(RESTORED, deleted=2, lost=3, missing=4, replaced=Path("/a b"), key=Path("/k"), audit_kept=True)
    show_restored(Console(), more)
    captured = capsys.readouterr()
    assert "2 conversations were deleted since" in captured.out
    assert "The audit that was here goes on" in captured.out
    assert "written to /k" in captured.out
    assert captured.out.endswith("rm -r '/a b'\n")
    assert "older than 3 conversations" in captured.err
    assert "4 pictures that were asked about" in captured.err
