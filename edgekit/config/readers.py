"""The readers of types: what a dataclass's annotations say becomes a function that reads, or one clear error.

A field whose name ends in ``_bytes`` reads a size with its unit, one whose metadata says ``unit="B/s"`` a rate, and one
whose metadata has ``choices`` one of them.
Every start reads a manifest through here, so the reader of each type is made once and kept.
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
import types
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from edgekit.errors import ConfigError
from edgekit.units import parse_bytes

Reader: TypeAlias = Callable[[object, str], Any]
"""reader(value, path): the value as its type, or a ConfigError that names the key path."""
FILE_KEYS = "FILE_KEYS"
"""The class attribute of a record that is flat in its file: :func:`keys_of`."""


@cache
def reader_of(hint: Any) -> Reader:
    """Return the reader of a type; a type that no config may have is our own mistake."""
    if dataclasses.is_dataclass(hint):
        return _dataclass_reader(cast(type, hint))
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _literal_reader(args)
    if origin in (Union, types.UnionType) and len(args) == 2 and type(None) in args:
        return _optional_reader(reader_of(next(arg for arg in args if arg is not type(None))))
    if origin is tuple and args[-1] is Ellipsis:
        return _list_reader(reader_of(args[0]))
    if origin is tuple:
        return _tuple_reader([reader_of(arg) for arg in args])
    if isinstance(origin, type) and issubclass(origin, Mapping) and args[0] is str:
        return _dict_reader(reader_of(args[1]))
    raise TypeError(f"a config can't hold a {hint}")


def _dataclass_reader(cls: type) -> Reader:
    paths = keys_of(cls)
    leaves = {key: _leaf(cls, path) for key, path in paths.items()}
    readers = {key: _field_reader(field, hint) for key, (field, hint) in leaves.items()}
    required = [key for key, (field, _) in leaves.items() if _is_required(field)]
    sizes = {key.removesuffix("_bytes"): key for key in leaves if key.endswith("_bytes")}
    short = {name: full for name, full in sizes.items() if name not in leaves}

    def read(value: object, path: str) -> Any:
        values: dict[str, Any] = {}
        for key, item in _mapping(value, path).items():
            place = f"{path}.{key}" if path else key
            name = short.get(key, key)
            if name not in leaves:
                raise ConfigError(f"unknown key '{_clip(place)}'", did_you_mean(key, [*leaves, *short]))
            if name in values:
                raise ConfigError(f"'{place}' is given twice", f"Keep one of '{key}' and '{name}'.")
            if name != key and not isinstance(item, str):
                raise _wrong(place, 'a size with its unit, as in "6 GiB"', item)
            values[name] = readers[name](item, place)
        for name in required:
            if name not in values:
                raise ConfigError(f"'{f'{path}.{name}' if path else name}' is missing", "Add it.")
        if not hasattr(cls, FILE_KEYS):
            return cls(**values)
        return _nested(cls, {paths[name]: item for name, item in values.items()}, paths.values())

    return read


def keys_of(cls: type) -> Mapping[str, str]:
    """Return the keys that a dataclass has in a file, each with the attribute that it holds: "memory.sides", say.

    They are its fields' names, unless its class attribute ``FILE_KEYS`` says otherwise: for a record that is made of
    others, and flat in its file.
    """
    fields = [field.name for field in dataclasses.fields(cls) if field.init]
    keys: Mapping[str, str] = getattr(cls, FILE_KEYS, dict(zip(fields, fields, strict=True)))
    return keys


def _leaf(cls: type, path: str) -> tuple[dataclasses.Field[Any], Any]:
    """The field that an attribute path ends at, and its type."""
    name, _, rest = path.partition(".")
    hint = get_type_hints(cls)[name]
    if rest:
        return _leaf(hint, rest)
    return next(field for field in dataclasses.fields(cls) if field.name == name), hint


def _nested(cls: type, values: Mapping[str, Any], paths: Iterable[str]) -> Any:
    """A dataclass made of others, from values by attribute path; ``paths`` are all that it has."""
    own = {path: value for path, value in values.items() if "." not in path}
    hints = get_type_hints(cls)
    for name in dict.fromkeys(path.partition(".")[0] for path in paths if "." in path):
        start = f"{name}."
        parts = {path.removeprefix(start): value for path, value in values.items() if path.startswith(start)}
        within = [path.removeprefix(start) for path in paths if path.startswith(start)]
        own[name] = _nested(hints[name], parts, within)
    return cls(**own)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _field_reader(field: dataclasses.Field[Any], hint: Any) -> Reader:
    """The type's reader; where the field holds bytes or bytes per second, text with a unit is read first."""
    if (choices := field.metadata.get("choices")) is not None:
        return lambda value, path: _literal_reader(tuple(choices))(value, path)  # a table may have grown
    plain = reader_of(hint)
    rate = field.metadata.get("unit") == "B/s"
    if not rate and not field.name.endswith("_bytes"):
        return plain

    def read(value: object, path: str) -> Any:
        if isinstance(value, str):
            try:
                return parse_bytes(value[:64].removesuffix("/s") if rate else value[:64])
            except ConfigError as error:
                raise ConfigError(f"'{path}': {error.message}", error.hint) from None
        number = plain(value, path)
        if isinstance(number, int) and number < 0:
            raise _wrong(path, "zero or more bytes", value)
        return number

    return read


def _mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _wrong(path, "a table of keys and values", value)
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(path, "text", value)
    return value


def _bool(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(path, "true or false", value)
    return value


def _int(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(path, "a whole number", value)
    return value


def _float(value: object, path: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            if math.isfinite(number := float(value)):
                return number
        except OverflowError:
            pass
    raise _wrong(path, "a number", value)


def _path(value: object, path: str) -> Path:
    return Path(_text(value, path))


_SCALARS: dict[Any, Reader] = {str: _text, bool: _bool, int: _int, float: _float, Path: _path}


def _literal_reader(choices: tuple[Any, ...]) -> Reader:
    def read(value: object, path: str) -> Any:
        for choice in choices:
            if type(value) is type(choice) and value == choice:
                return choice
        raise _wrong(path, "one of " + ", ".join(map(repr, choices)), value)

    return read


def _optional_reader(inner: Reader) -> Reader:
    return lambda value, path: None if value is None else inner(value, path)


def _list_reader(inner: Reader) -> Reader:
    return lambda value, path: tuple(inner(item, f"{path}[{i}]") for i, item in enumerate(_list(value, path)))


def _tuple_reader(inners: list[Reader]) -> Reader:
    def read(value: object, path: str) -> Any:
        items = _list(value, path)
        if len(items) != len(inners):
            raise _wrong(path, f"a list of {len(inners)}", value)
        return tuple(inner(item, f"{path}[{i}]") for i, (inner, item) in enumerate(zip(inners, items, strict=True)))

    return read


def _list(value: object, path: str) -> list[object] | tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(path, "a list", value)
    return value


def _dict_reader(inner: Reader) -> Reader:
    def read(value: object, path: str) -> Any:
        items = _mapping(value, path).items()
        return {key: inner(item, f"{path}.{key}" if path else key) for key, item in items}

    return read


def _wrong(path: str, expected: str, value: object) -> ConfigError:
    """An error that says what stands there and what should."""
    huge = isinstance(value, int) and value.bit_length() > 256  # Python refuses to write the longest ones
    shown = "a huge number" if huge else reprlib.repr(value)
    place = f"'{_clip(path)}'" if path else "the file"
    return ConfigError(f"{place} must be {expected}, not {shown}", "Correct the value.")


def _clip(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return a hint for a word that is none of ``choices``: the nearest of them, and all of them."""
    import difflib  # only errors need it

    words = sorted(choices)
    nearest = difflib.get_close_matches(word[:64], words, 1)
    guess = f"Did you mean '{nearest[0]}'? " if nearest else ""
    return f"{guess}Known: {', '.join(words)}."
