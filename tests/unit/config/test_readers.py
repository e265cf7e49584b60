"""The reader of each type: what it takes as it stands, and what it says of anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from edgekit.config.readers import did_you_mean, keys_of, reader_of
from edgekit.errors import ConfigError


@dataclass(frozen=True)
class Memory:
    limit_bytes: int
    rate: float = field(default=1.0, metadata={"unit": "B/s"})


@dataclass(frozen=True)
class Flat:
    """Made of another record, and flat in its file."""

    FILE_KEYS: ClassVar[Mapping[str, str]] = {"title": "title", "limit_bytes": "memory.limit_bytes"}
    title: str
    memory: Memory


@pytest.mark.parametrize(
    ("hint", "value", "result"),
    [
        (int, 3, 3),
        (float, 3, 3.0),
        (Path, "a/b", Path("a/b")),
        (int | None, None, None),
        (int | None, 2, 2),
        (tuple[int, ...], [], ()),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[str, int], ["a", 1], ("a", 1)),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Literal["a", 1], 1, 1),
        (Memory, {"limit_bytes": 5}, Memory(5)),
        (Memory, {"limit": "2 KiB", "rate": "3 KiB/s"}, Memory(2048, 3072)),
        (Flat, {"title": "t", "limit": "1 KiB"}, Flat("t", Memory(1024))),
    ],
)
def test_a_value_becomes_its_type(hint: Any, value: object, result: object) -> None:
    read = reader_of(hint)(value, "key")
    assert read == result
    assert type(read) is type(result)


@pytest.mark.parametrize(
    ("hint", "value", "says"),
    [
        (int, True, "'key' must be a whole number, not True"),
        (int, 1.0, "a whole number"),
        (float, "1", "a number"),
        (float, float("nan"), "a number"),
        (float, 10**400, "not a huge number"),
        (bool, 0, "true or false"),
        (str, 1, "text"),
        (Literal["a", 1], True, "one of 'a', 1"),
        (tuple[int, ...], [1, "x"], r"'key\[1\]' must be a whole number"),
        (tuple[str, int], ["a"], "a list of 2"),
        (dict[str, int], {"b": None}, "'key.b' must be"),
        (dict[str, int], {1: 1}, "a table of keys and values"),
        (Memory, {"limit_bytes": -1}, "zero or more bytes"),
        (Memory, {"limit": 5}, 'a size with its unit, as in "6 GiB"'),
        (Memory, {"limit": "1 KiB", "limit_bytes": 1}, "is given twice"),
        (Memory, {}, "'key.limit_bytes' is missing"),
        (Memory, {"limits": "1 KiB"}, "unknown key 'key.limits'"),
        (Flat, {"title": "t", "memory": {}}, "unknown key 'key.memory'"),
    ],
)
def test_anything_else_is_one_error_that_names_its_place(hint: Any, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        reader_of(hint)(value, "key")


def test_a_type_that_no_file_can_hold_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="can't hold"):
        reader_of(set)


def test_choices_that_grow_later_are_read_then() -> None:
    names = {"a": 1}

    @dataclass(frozen=True)
    class Chosen:
        name: str = field(metadata={"choices": names})

    read = reader_of(Chosen)
    with pytest.raises(ConfigError, match="one of 'a'"):
        read({"name": "b"}, "")
    names["b"] = 2
    assert read({"name": "b"}, "") == Chosen("b")


def test_a_record_has_the_keys_of_its_file() -> None:
    assert keys_of(Memory) == {"limit_bytes": "limit_bytes", "rate": "rate"}
    assert keys_of(Flat) == Flat.FILE_KEYS


def test_a_hint_guesses_only_what_is_near() -> None:
    assert did_you_mean("contxt", ["slots", "context"]) == "Did you mean 'context'? Known: context, slots."
    assert did_you_mean("zzz", ["slots", "context"]) == "Known: context, slots."
