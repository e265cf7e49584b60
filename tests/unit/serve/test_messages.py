"""Messages to and from the decoding child."""

from __future__ import annotations

import pytest

from edgekit.serve.messages import pack, unpack


@pytest.mark.parametrize("body", [b"", b"\n", b'{"frame": 1}\n\0\xff'])
def test_a_message_comes_apart_as_it_was_put_together(body: bytes) -> None:
    head = {"refused": ["a line\nand another", "é"]}
    assert unpack(pack(head, body)) == (head, body)


@pytest.mark.parametrize("message", [b"", b"{}", b"{\n}"])
def test_what_has_no_line_of_json_is_no_message(message: bytes) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        unpack(message)
