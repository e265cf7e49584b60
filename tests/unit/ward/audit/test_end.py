"""Where the next line goes, by what is there and by what the head says was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.end import find_end
from edgekit.ward.audit.head import Head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.line import BEGINNING
from edgekit.ward.audit.segments import segments
from edgekit.ward.audit.verify import lines
from tests.audits import KEY, written

LINES = AuditKeys.of(KEY).lines


def test_before_the_first_line(tmp_path: Path) -> None:
    end = find_end(tmp_path, LINES, Head(0, "0" * 64))
    assert (end.segment, end.size, end.seq, end.digest, end.torn) == (None, 0, 0, BEGINNING, b"")


def test_behind_the_last_line(tmp_path: Path) -> None:
    heads = written(tmp_path, 3)
    path = segments(tmp_path)[0]
    size = path.stat().st_size
    for head in (None, *heads):
        end = find_end(tmp_path, LINES, head)
        assert (end.segment, end.size, end.day, end.seq, end.torn) == (path, size, "2026-11-30", 3, b"")
        assert end.digest == [*lines(tmp_path, KEY)][-1].digest


@pytest.mark.parametrize("seq", [3, 9])
def test_behind_lines_that_the_head_tells_of(tmp_path: Path, seq: int) -> None:
    written(tmp_path, 3)
    path = segments(tmp_path)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    end = find_end(tmp_path, LINES, Head(seq, "0" * 64))
    assert (end.segment, end.seq) == (None, seq)


def test_behind_files_of_which_no_line_is_left(tmp_path: Path) -> None:
    """A new file never gets the name of one that is there."""
    written(tmp_path, 6, 40_000)
    first, second, third = segments(tmp_path)
    third.write_bytes(b"one\ntwo\nthree\nfour\n")
    end = find_end(tmp_path, LINES, Head(4, "0" * 64))
    assert (end.segment, end.seq, end.torn) == (third, 4, third.read_bytes()), "as a crash may leave it"
    end = find_end(tmp_path, LINES, Head(5, "0" * 64))
    assert (end.segment, end.seq) == (None, 8)
    second.write_bytes(b"x")
    assert find_end(tmp_path, LINES, Head(2, "0" * 64)).seq == 8
    first.write_bytes(b"x")
    assert find_end(tmp_path, LINES, Head(2, "0" * 64)).seq == 8
    with pytest.raises(EdgeKitError, match="this ward's key"):
        find_end(tmp_path, LINES, None)
