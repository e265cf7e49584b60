"""The files of an audit are read in the order of their lines, and nothing else in the folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.segments import LOCK, first_of, read_segment, segment_name, segments, unwritten, writing_alone


def test_files_are_in_the_order_of_their_lines(tmp_path: Path) -> None:
    names = [segment_name(first) for first in (1, 9, 10, 12_345)]
    for name in (*reversed(names), "head", LOCK, "000000000001-12.torn", "1.jsonl", "000000000001.jsonl.gz"):
        (tmp_path / name).write_bytes(b"lines")
    assert [path.name for path in segments(tmp_path)] == names
    assert [first_of(name) for name in names] == [1, 9, 10, 12_345]
    assert segments(tmp_path / "nowhere") == []


def test_a_file_is_read_as_far_as_it_went_then(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1)
    path.write_bytes(b"0123456789")
    assert (read_segment(path), read_segment(path, 4)) == (b"0123456789", b"0123")
    with pytest.raises(EdgeKitError, match="can't be read"):
        read_segment(tmp_path / segment_name(2))


def test_who_reads_needs_no_lock_where_nobody_wrote(tmp_path: Path) -> None:
    with unwritten(tmp_path):
        assert not (tmp_path / LOCK).exists()
    with writing_alone(tmp_path):
        assert (tmp_path / LOCK).exists()
    with unwritten(tmp_path), unwritten(tmp_path):
        pass
