"""A release's ID is the digest of what it is made of, whoever writes it down."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle.hashes import FileEntry
from edgekit.deploy.layout import RECORD
from edgekit.deploy.record import FILES, Record, package, read_files, read_record, record_of, sealed_in, write_record
from edgekit.errors import ConfigError

CODE = (package("Edge_Kit.Tools", "2", "b" * 64), package("edgekit", "9.1", "a" * 64))
ENTRIES = {"bundle/graphs/a": FileEntry(3, "c" * 64), "site/seal": FileEntry(0, "d" * 64)}


@pytest.fixture
def record() -> Record:
    return record_of("e" * 64, CODE, "f" * 64)


def test_it_says_what_it_is_for(record: Record) -> None:
    assert record.edgekit == "9.1", "the version that the release holds, not the one that installs it"
    assert record.python == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert [package.name for package in record.packages] == ["edge-kit-tools", "edgekit"]


def test_the_id_is_the_digest_of_the_file(record: Record, tmp_path: Path) -> None:
    write_record(tmp_path, record, ENTRIES)
    text = (tmp_path / RECORD).read_bytes()
    assert hashlib.sha256(text).hexdigest() == record.identity
    assert read_record(tmp_path, record.identity) == record
    assert read_files(tmp_path) == ENTRIES
    keys = list(json.loads(text))
    assert keys == sorted(keys)


def test_the_order_of_packages_makes_no_other_release(record: Record) -> None:
    assert record_of("e" * 64, CODE[::-1], "f" * 64).identity == record.identity
    assert replace(record, packages=record.packages[::-1]).identity == record.identity


@pytest.mark.parametrize("part", ["bundle", "unit", "python", "platform", "edgekit"])
def test_each_part_makes_another_release(record: Record, part: str) -> None:
    other: dict[str, Any] = {part: "other"}
    assert replace(record, **other).identity != record.identity
    changed = replace(record.packages[0], sha256="0" * 64)
    assert replace(record, packages=(changed, *record.packages[1:])).identity != record.identity


def test_a_damaged_record_is_told(record: Record, tmp_path: Path) -> None:
    write_record(tmp_path, record, ENTRIES)
    with pytest.raises(ConfigError, match="is not the record"):
        read_record(tmp_path, "0" * 64)
    path = tmp_path / RECORD
    text = path.read_text()
    path.write_text(text.replace("9.1", "9.2"))
    with pytest.raises(ConfigError, match="is not the record"):
        read_record(tmp_path, record.identity)
    path.write_text("{")
    with pytest.raises(ConfigError, match="no JSON"):
        read_record(tmp_path, record.identity)
    path.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        read_record(tmp_path, record.identity)


def test_a_record_of_another_format_names_both(record: Record, tmp_path: Path) -> None:
    newer = replace(record, format=2)
    write_record(tmp_path, newer, ENTRIES)
    with pytest.raises(ConfigError, match="has format 2; this EdgeKit reads format 1"):
        read_record(tmp_path, newer.identity)


def test_a_damaged_list_of_files_is_told(record: Record, tmp_path: Path) -> None:
    write_record(tmp_path, record, ENTRIES)
    path = tmp_path / FILES
    path.write_text(path.read_text().replace("c" * 64, "b" * 64))
    with pytest.raises(ConfigError, match="differ from what was sealed"):
        read_files(tmp_path)


def test_files_are_sealed_where_they_lie(tmp_path: Path) -> None:
    assert [file.path for file in sealed_in(tmp_path, ENTRIES, "again")] == [tmp_path / name for name in ENTRIES]
