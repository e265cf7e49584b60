from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit import config
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import ConfigError
from edgekit.recipe import Recipe
from edgekit.target import Target
from edgekit.target.kinds import KINDS


@dataclass(frozen=True)
class Inner:
    count: int
    ratio: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    flag: bool = False
    kind: Literal["a", "b", 1] = "a"
    limit: int | None = None
    pair: tuple[int, str] = (1, "x")
    many: tuple[Inner, ...] = ()
    table: dict[str, Inner] = field(default_factory=dict)
    memory_bytes: int = 0
    bandwidth: int = field(default=0, metadata={"unit": "B/s"})


SMALL = {"name": "n", "inner": {"count": 1}}


def refusal(mapping: object, cls: type = Outer) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config.load(cls, mapping, "somewhere")
    assert caught.value.message.startswith("somewhere: ")
    assert caught.value.hint
    return caught.value


def test_everything_that_a_config_may_hold() -> None:
    value = config.load(
        Outer,
        {
            "name": "n",
            "inner": {"count": 1, "ratio": 2},
            "flag": True,
            "kind": 1,
            "limit": None,
            "pair": [7, "y"],
            "many": [{"count": 2}, {"count": 3}],
            "table": {"k": {"count": 4}},
            "memory": "6 GiB",
            "bandwidth": "204.8 GB/s",
        },
        "somewhere",
    )
    expected = Outer(
        *("n", Inner(1, 2.0), True, 1, None, (7, "y"), (Inner(2), Inner(3)), {"k": Inner(4)}),
        memory_bytes=6 * 2**30,
        bandwidth=204_800_000_000,
    )
    assert value == expected
    assert isinstance(value.inner.ratio, float)
    assert config.load(Outer, json.loads(json.dumps(config.dump(value))), "somewhere") == value


@pytest.mark.parametrize("size", [{"memory_bytes": 5}, {"memory_bytes": "5 B"}, {"memory": "5 B"}])
def test_a_size_is_written_with_its_unit_or_as_bytes(size: dict[str, object]) -> None:
    assert config.load(Outer, SMALL | size, "somewhere").memory_bytes == 5


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ({"name": 1}, "name", "text"),
        ({"flag": 1}, "flag", "true or false"),
        ({"limit": True}, "limit", "a whole number"),
        ({"limit": 1.0}, "limit", "a whole number"),
        ({"limit": "1"}, "limit", "a whole number"),
        ({"inner": [1]}, "inner", "a table"),
        ({"inner": {"count": 1, "ratio": "half"}}, "inner.ratio", "a number"),
        ({"inner": {"count": 1, "ratio": math.nan}}, "inner.ratio", "a number"),
        ({"inner": {"count": 1, "ratio": True}}, "inner.ratio", "a number"),
        ({"inner": {"count": 1, "ratio": 10**400}}, "inner.ratio", "a number"),
        ({"kind": True}, "kind", "one of 'a', 'b', 1"),
        ({"kind": []}, "kind", "one of"),
        ({"pair": [1]}, "pair", "a list of 2"),
        ({"pair": ["x", 1]}, "pair[0]", "a whole number"),
        ({"many": [{"count": 1}, {"count": None}]}, "many[1].count", "a whole number"),
        ({"many": "ab"}, "many", "a list"),
        ({"table": {"k": 1}}, "table.k", "a table"),
        ({"table": {1: {"count": 1}}}, "table", "a table"),
        ({"memory": 5}, "memory", "a size with its unit"),
        ({"memory_bytes": -1}, "memory_bytes", "zero or more bytes"),
        ({"memory": "5 apples"}, "memory", "is not a size"),
        ({"bandwidth": "fast"}, "bandwidth", "is not a size"),
        ({"memory": "5 GiB/s"}, "memory", "is not a size"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change: dict[str, object], path: str, expected: str) -> None:
    message = refusal(SMALL | change).message
    assert f"'{path}'" in message
    assert expected in message


def test_an_unknown_key_gets_a_suggestion() -> None:
    error = refusal({"name": "n", "inner": {"count": 1, "ratoi": 2}})
    assert "unknown key 'inner.ratoi'" in error.message
    assert "Did you mean 'ratio'?" in error.hint


def test_a_missing_key_is_named_with_its_place() -> None:
    assert "'inner.count' is missing" in refusal({"name": "n", "inner": {}}).message
    assert "'name' is missing" in refusal({}).message


def test_a_size_given_twice_is_refused() -> None:
    assert "twice" in refusal(SMALL | {"memory": "1 B", "memory_bytes": 1}).message


def test_a_type_that_no_config_may_hold_is_our_own_mistake() -> None:
    @dataclass(frozen=True)
    class Odd:
        when: complex

    with pytest.raises(TypeError):
        config.load(Odd, {"when": 1}, "somewhere")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"name = \n", "line 1"),
        (b"\xff\xfe", "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"count = 0x" + b"f" * 6000, "unknown key"),
        (b"flag = 0x" + b"f" * 6000, "huge number"),
    ],
)
def test_a_file_that_is_no_config_names_itself_and_the_line(tmp_path: Path, text: bytes, part: str) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        config.load_toml(path, Outer)
    assert str(path) in caught.value.message
    assert part in caught.value.message


@pytest.mark.parametrize("text", ["", "{", '{"name": ' + "[" * 100_000, "1" * 5000, "[1]", "NaN"])
def test_json_that_is_none_or_another(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"t\.json"):
        config.load_json(path, Outer)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        config.load_toml(tmp_path / "none.toml", Outer)
    with pytest.raises(ConfigError, match="directory"):
        config.load_json(tmp_path, Outer)


def test_nobody_is_waited_for_who_would_write_to_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock.json")
    for read in (config.load_json, config.load_toml):
        with pytest.raises(ConfigError, match=r"lock\.json is a pipe"):
            read(tmp_path / "lock.json", Outer)
    with pytest.raises(ConfigError, match=r"zero is a pipe or a device"):
        config.load_toml(Path("/dev/zero"), Outer)


@functools.cache
def valid(hint: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values of a type that a config may hold, of a dataclass in particular."""
    origin, args = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.fixed_dictionaries({f.name: valid(hints[f.name], f.name) for f in dataclasses.fields(hint)}).map(
            lambda values: hint(**values)  # type: ignore[operator]
        )
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of([valid(arg, name) for arg in args])
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(valid(args[0]), max_size=3).map(tuple)
        return st.tuples(*(valid(arg) for arg in args))
    if name == "engine":
        return st.sampled_from(list(KINDS))
    if hint is int:
        positive = name in ("slots", "context", "bandwidth") or name.endswith("_bytes")
        return st.integers(min_value=1 if positive else None)
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    return {str: st.text(), bool: st.booleans(), type(None): st.none()}[hint]


SCHEMAS = [ModelSpec, Recipe, Target]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("cls", SCHEMAS)
@given(st.data())
def test_what_is_dumped_loads_back_the_same(cls: type, data: st.DataObject) -> None:
    try:
        value = data.draw(valid(cls))
    except ConfigError:  # a target that reserves more than it has
        return
    assert config.load(cls, json.loads(json.dumps(config.dump(value))), "somewhere") == value


@pytest.mark.parametrize("cls", SCHEMAS)
@given(JSON)
def test_arbitrary_json_is_read_or_refused(cls: type, value: object) -> None:
    try:
        config.load(cls, value, "somewhere")
    except ConfigError as error:
        assert error.hint


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) within a JSON value."""
    items = list(value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ())
    return [(value, key) for key, _ in items] + [node for _, item in items for node in nodes(item)]


@pytest.mark.parametrize("cls", SCHEMAS)
@given(st.data(), JSON)
def test_one_changed_value_is_read_or_refused(cls: type, data: st.DataObject, other: object) -> None:
    try:
        mapping = config.dump(data.draw(valid(cls)))
    except ConfigError:
        return
    container, key = data.draw(st.sampled_from(nodes(mapping)))
    container[key] = other
    try:
        value: object = config.load(cls, mapping, "somewhere")
    except ConfigError as error:
        assert error.hint
    else:
        assert config.load(cls, config.dump(value), "somewhere") == value
