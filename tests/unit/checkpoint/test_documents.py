"""JSON from anywhere: what is read of it, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.checkpoint.documents import Fields, parse_object, read_object, read_optional, read_text
from edgekit.errors import CheckpointError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        ("[1]", "holds list, not an object"),
        ("null", "holds NoneType, not an object"),
    ],
)
def test_what_is_no_object_is_refused(text: bytes | str, message: str) -> None:
    with pytest.raises(CheckpointError, match=f"^here {message}"):
        parse_object(text, "here")


def test_files_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    for path, message in ((tmp_path / "latin.json", "is not UTF-8"), (tmp_path, "can't be read: Is a directory")):
        with pytest.raises(CheckpointError, match=message) as error:
            read_text(path)
        assert error.value.message.startswith(str(path))
    with pytest.raises(CheckpointError, match="No such file"):
        read_object(tmp_path / "none.json")
    assert read_optional(tmp_path / "none.json") == {}
    (tmp_path / "some.json").write_text('{"a": 1}')
    assert read_optional(tmp_path / "some.json") == {"a": 1}


READERS: dict[str, Callable[[Fields], object]] = {
    "count": lambda fields: fields.count("key"),
    "integer": lambda fields: fields.integer("key"),
    "positive": lambda fields: fields.positive("key"),
    "text": lambda fields: fields.text("key"),
    "flag": lambda fields: fields.flag("key", True),
    "table": lambda fields: fields.table("key"),
}


@pytest.mark.parametrize(
    ("reader", "good", "bad"),
    [
        ("count", [1, 2**31 - 1], [0, -1, 2**31, 1.0, True, "1", [1]]),
        ("integer", [0, -(2**31) + 1], [2**31, -(2**31), 0.5, False, "0"]),
        ("positive", [1, 1e-6, 1e30], [0, -1.0, float("inf"), float("nan"), 1e31, True, "1"]),
        ("text", ["", "x"], [1, ["x"], {}]),
        ("flag", [True, False], [0, 1, "true"]),
        ("table", [{}, {"a": 1}], [[], "x", 1]),
    ],
)
def test_each_kind_takes_its_own_alone(reader: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        read = READERS[reader](Fields({"key": value}, "config.json"))
        assert (read.values if isinstance(read, Fields) else read) == value
    for value in bad:
        with pytest.raises(CheckpointError, match=r"^'key' in config\.json should be .*, but is "):
            READERS[reader](Fields({"key": value}, "config.json"))


def test_null_is_absent() -> None:
    fields = Fields({"key": None, "other": 0}, "config.json")
    assert ("key" in fields, "other" in fields, "third" in fields) == (False, True, False)
    assert (fields.count("key", 3), fields.text("key", "x"), fields.flag("key", False)) == (3, "x", False)
    with pytest.raises(CheckpointError, match="but is missing"):
        fields.count("key")


def test_a_table_says_whose_it_is() -> None:
    inner = Fields({"outer": {"inner": {"key": "no"}}}, "config.json").table("outer").table("inner")
    assert inner.origin == "inner of outer of config.json"
    assert Fields({}, "config.json").table("outer").values == {}
