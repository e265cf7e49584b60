"""A head is what was written, or none; and what a person copies is read as it was shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.ward.audit.head import NAME, NONE, Head, begin_head, read_head, write_head
from tests.audits import KEY

HEAD = Head(1234, "0123456789abcdef" * 4)


def test_what_is_shown_can_be_read() -> None:
    assert str(HEAD) == f"1234:{'0123456789abcdef' * 4}"
    assert Head.parse(f" {HEAD}\n") == HEAD
    assert Head.parse(str(NONE)) == NONE


@pytest.mark.parametrize("text", ["", "1234", "1234:abc", ":" + HEAD.mac, f"-1:{HEAD.mac}", f"1:{HEAD.mac.upper()}"])
def test_what_is_none_is_a_message(text: str) -> None:
    with pytest.raises(InputError, match="no head of an audit"):
        Head.parse(text)


def test_it_is_written_over_and_always_as_long(tmp_path: Path) -> None:
    assert read_head(tmp_path, KEY) is None
    begin_head(tmp_path, KEY)
    assert read_head(tmp_path, KEY) == NONE
    size = (tmp_path / NAME).stat().st_size
    inode = (tmp_path / NAME).stat().st_ino
    write_head(tmp_path, KEY, HEAD)
    begin_head(tmp_path, KEY)
    assert read_head(tmp_path, KEY) == HEAD
    assert ((tmp_path / NAME).stat().st_size, (tmp_path / NAME).stat().st_ino) == (size, inode)
    assert size < 512


@pytest.mark.parametrize("content", [b"", b"x", bytes(149), b"\xff" * 300])
def test_what_is_damaged_is_none_until_it_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert read_head(tmp_path, KEY) is None
    write_head(tmp_path, KEY, HEAD)
    assert read_head(tmp_path, KEY) == HEAD
    assert read_head(tmp_path, bytes(32)) is None


def test_a_head_that_is_missing_is_written_anew(tmp_path: Path) -> None:
    write_head(tmp_path, KEY, HEAD)
    assert read_head(tmp_path, KEY) == HEAD
