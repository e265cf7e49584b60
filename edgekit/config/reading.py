"""Strict reading: what a TOML or JSON file says becomes a frozen dataclass, or one clear :class:`ConfigError`.

The dataclass is the schema: its annotations say what a key may hold, its defaults which keys may be left out.
Nothing is coerced silently, with two exceptions that people expect: a whole number may stand for a float, and a
size may be written with its unit. ``memory_bytes: int`` reads ``memory_bytes = 6442450944``,
``memory_bytes = "6 GiB"`` and ``memory = "6 GiB"``; a field whose metadata says ``unit="B/s"`` reads "168 GB/s".
"""

from __future__ import annotations

import dataclasses
import os
import reprlib
import stat
import sys
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar, cast

from edgekit.config import seal
from edgekit.config.readers import keys_of, reader_of
from edgekit.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def load(cls: type[T], mapping: object, origin: str) -> T:
    """Read ``mapping`` (plain dicts, lists, text, numbers) as the dataclass ``cls``.

    ``origin`` names the file in errors ("targets/orin.toml"). Unknown keys, missing keys and values of
    another type raise :class:`ConfigError`; so does a ``__post_init__`` that raises one.
    """
    try:
        return cast(T, reader_of(cast(Any, cls))(mapping, ""))
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error.message}", error.hint) from None


def dump(value: Any) -> Any:
    """Return what ``load`` reads, as plain dicts, lists, text and numbers that JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: dump(attrgetter(path)(value)) for key, path in keys_of(type(value)).items()}
    if isinstance(value, Mapping):
        return {key: dump(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [dump(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def load_toml(path: Path, cls: type[T]) -> T:
    """Read a TOML file as the dataclass ``cls``; a syntax error names its line."""
    text = _read(path)
    try:
        mapping = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # syntax, encoding, a number or a nesting beyond all reason
        raise ConfigError(f"{path} is not valid TOML: {error}", "Correct the file at that place.") from None
    return load(cls, mapping, str(path))


def load_json(path: Path, cls: type[T], supported: int | None = None, remedy: str = "") -> T:
    """Read a JSON file as the dataclass ``cls``; a syntax error names its line, and a broken seal is an error, too.

    With ``supported``, the file has to be of that format: :func:`require_format`.
    """
    mapping, _ = seal.loads(_read(path), str(path))
    if supported is not None:
        require_format(mapping, supported, str(path), remedy)
    return load(cls, mapping, str(path))


def require_format(document: object, supported: int, origin: str, remedy: str) -> None:
    """Raise :class:`ConfigError`, with ``remedy`` for a hint, unless a document's key ``format`` says ``supported``."""
    stated = document.get("format") if isinstance(document, Mapping) else None
    if stated != supported:
        message = f"{origin} has format {reprlib.repr(stated)}; this EdgeKit reads format {supported}"
        raise ConfigError(message, remedy)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe is waited for, and a device may never end
                raise ConfigError(f"{path} is a pipe or a device, not a file", "Remove it, or give another path.")
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Check the path and its permissions.") from None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
