"""A manifest is what was written, by whoever has the ward's key, or an error that says which of the two it isn't."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edgekit.bundle.hashes import FileEntry
from edgekit.errors import EdgeKitError
from edgekit.ward.backup.manifest import FORMAT, Manifest, damaged, read, write
from edgekit.ward.keys import Master
from tests.wards import MASTER

MANIFEST = Manifest(
    format=FORMAT,
    edgekit="0.1.0",
    made="2026-11-30T12:00:00Z",
    ward="ab" * 16,
    head="7:" + "0" * 64,
    conversations=1,
    turns=2,
    pictures=1,
    files={"ward.db": FileEntry(4096, "cd" * 32), "audit/head": FileEntry(149, "ef" * 32)},
)


def test_what_was_written_is_read() -> None:
    content = write(MANIFEST, MASTER)
    assert read(content, "backup", MASTER) == MANIFEST
    assert MANIFEST.bytes == 4245
    assert MASTER.secret.hex().encode() not in content


def test_every_change_is_an_error() -> None:
    content = write(MANIFEST, MASTER)
    for at in range(0, len(content) - 1, 3):  # the last byte is the line's end
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        try:
            same = json.loads(changed) == json.loads(content)  # a blank between two values is none of its words
        except ValueError:
            same = False
        if not same:
            with pytest.raises(EdgeKitError, match=r"^backup is no backup|^The keys are not those of backup"):
                read(changed, "backup", MASTER)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"mac": 3}', b"\xff", b'{"mac": "\\u00e9"}', b"[" * 10_000])
def test_what_is_none_is_an_error(content: bytes) -> None:
    with pytest.raises(EdgeKitError, match="is no backup"):
        read(content, "backup", MASTER)


def test_another_ward_s_keys_are_told() -> None:
    with pytest.raises(EdgeKitError, match="keys are not those of backup"):
        read(write(MANIFEST, MASTER), "backup", Master(bytes(32)))


def test_a_later_format_is_told() -> None:
    with pytest.raises(EdgeKitError, match="has format 2"):
        read(write(replace(MANIFEST, format=2), MASTER), "backup", MASTER)


def test_damage_is_said_with_the_file() -> None:
    assert "backup is damaged: ward.db" in str(damaged("backup", "ward.db"))
