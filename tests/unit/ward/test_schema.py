"""Tables by version: brought up, refused where they are newer, and of one ward."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.database import Database
from edgekit.ward.schema import KEYS_TABLES, WARD_TABLES, name_ward, prepare, version
from tests.wards import open_ward


def opened(path: Path) -> Database:
    return Database(path, b"k" * 32)


def test_each_step_is_gone_once(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    prepare(database, "main", KEYS_TABLES)
    prepare(database, "main", (*KEYS_TABLES, "CREATE TABLE {0}.more (a)"))
    prepare(database, "main", (*KEYS_TABLES, "CREATE TABLE {0}.more (a)"))
    assert version(database) == 2
    with pytest.raises(EdgeKitError, match=r"newer EdgeKit \(format 2; this one reads 1\)"):
        prepare(database, "main", KEYS_TABLES)
    database.close()


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    with pytest.raises(Exception, match="syntax"):
        prepare(database, "main", (*KEYS_TABLES, "CREATE TABLE {0}.more (a); CREATE NOTHING"))
    assert version(database) == 0
    assert database.rows("SELECT name FROM sqlite_master") == []
    prepare(database, "main", WARD_TABLES)
    database.close()


def test_two_wards_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        open_ward(tmp_path / name).close()
    (tmp_path / "a/state/keys.db").replace(tmp_path / "b/state/keys.db")
    with pytest.raises(EdgeKitError, match="two different wards"):
        open_ward(tmp_path / "b")


def test_a_name_is_given_once(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        name = name_ward(ward.database)
        assert len(name) == 32
    with open_ward(tmp_path) as ward:
        assert name_ward(ward.database) == name
