"""A line says what was written, or doesn't verify: every byte of it counts."""

from __future__ import annotations

import hashlib
import json

from edgekit.ward.audit.line import BEGINNING, digest, read, write
from tests.audits import KEY, moment

SAYS = {"event": "sign_in", "who": "account Зоя", "count": 3, "confidence": None}
RAW = write(KEY, moment(5), 7, BEGINNING, SAYS)


def test_a_line_is_json_that_says_when_in_three_ways() -> None:
    assert json.loads(RAW) == {
        "seq": 7,
        "time": "2026-11-30T12:00:05.000Z",
        "boot": "boot-1",
        "up_ms": 65_000,
        "synced": True,
        **SAYS,
        "previous": BEGINNING,
        "mac": json.loads(RAW)["mac"],
    }
    line = read(KEY, RAW)
    assert line
    assert (line.seq, line.previous, line.day) == (7, BEGINNING, "2026-11-30")
    assert line.digest == digest(RAW) == hashlib.sha256(RAW).hexdigest()
    assert b"\n" not in write(KEY, moment(5), 7, BEGINNING, {"who": "a\nb"})


def test_no_byte_of_it_can_be_another() -> None:
    for at in range(len(RAW)):
        for bit in range(8):
            flipped = bytearray(RAW)
            flipped[at] ^= 1 << bit
            assert read(KEY, bytes(flipped)) is None, (at, bit)


def test_no_part_of_it_is_a_line() -> None:
    for at in range(len(RAW)):
        assert read(KEY, RAW[:at]) is None
        assert at == 0 or read(KEY, RAW[at:]) is None
        assert read(KEY, RAW[:at] + b" " + RAW[at:]) is None


def test_another_key_reads_nothing() -> None:
    assert read(bytes(32), RAW) is None
