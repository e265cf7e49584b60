"""What is seen of an audit goes together, while others write it on."""

from __future__ import annotations

from pathlib import Path

from edgekit.ward.audit.head import NAME
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.segments import read_segment
from edgekit.ward.audit.snapshot import snapshot
from tests.audits import KEY, opened, written

KEYS = AuditKeys.of(KEY)


def test_head_and_lines_are_of_one_moment(tmp_path: Path) -> None:
    heads = written(tmp_path, 4, 40_000)
    seen = snapshot(tmp_path, KEYS)
    opened(tmp_path).note("sign_in", "account anna")
    assert seen.head == heads[-1]
    assert len(seen.sizes) == 2
    assert b"".join(read_segment(path, size) for path, size in seen.sizes.items()).count(b"\n") == 4
    assert seen.sealed != (tmp_path / NAME).read_bytes()


def test_a_head_that_is_none_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, 1)
    (tmp_path / NAME).write_bytes(b"changed")
    seen = snapshot(tmp_path, KEYS)
    assert (seen.head, seen.sealed, len(seen.sizes)) == (None, b"", 1)
    assert snapshot(tmp_path / "nowhere", KEYS).sizes == {}
