"""JSON documents of a checkpoint, and typed access to them: a file from the net may say anything.

:class:`Fields` reads a config as the dialects need it: the value under a name when it is there and of
the right kind, the family's default when it is absent, a :class:`CheckpointError` that names the file
and the key otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import CheckpointError

_LARGEST_COUNT = 2**31 - 1
_HINT = "Compare the file with the published one; it may be damaged, or written by a tool that EdgeKit does not know."


def parse_object(text: bytes | str, origin: str) -> dict[str, Any]:
    """Parse a JSON object; anything else, broken or nested beyond reason, is a :class:`CheckpointError`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{origin} is not valid JSON: {error}", _HINT) from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{origin} holds {type(value).__name__}, not an object", _HINT)
    return value


def unreadable(path: Path, error: OSError) -> CheckpointError:
    """Return the error for a file that the system does not let us read."""
    return CheckpointError(f"{path} can't be read: {error.strerror}", "Check the path and its permissions.")


def read_text(path: Path) -> str:
    """Read a UTF-8 file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path} is not UTF-8 text: {error}", _HINT) from None


def read_object(path: Path) -> dict[str, Any]:
    """Read the JSON object that a file holds."""
    return parse_object(read_text(path), str(path))


def read_optional(path: Path) -> dict[str, Any]:
    """Read the JSON object that a file holds, or an empty one when there is no such file."""
    return read_object(path) if path.is_file() else {}


@dataclass(frozen=True)
class Fields:
    """A config with its place (for messages). A key that holds null counts as absent."""

    values: Mapping[str, Any]
    origin: str

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def count(self, key: str, default: int | None = None) -> int:
        """Return a whole number of at least 1."""
        value = self._get(key, default)
        if type(value) is not int or not 1 <= value <= _LARGEST_COUNT:
            raise self.error(key, "a positive whole number")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        value = self._get(key, default)
        if type(value) is not int or abs(value) > _LARGEST_COUNT:
            raise self.error(key, "a whole number")
        return value

    def positive(self, key: str, default: float | None = None) -> float:
        """Return a finite number above zero."""
        value = self._get(key, default)
        if type(value) not in (int, float) or not (0 < value < math.inf) or value > 1e30:
            raise self.error(key, "a number above zero")
        return float(value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.error(key, "a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "true or false")
        return value

    def table(self, key: str) -> Fields:
        """Return a nested object; empty when it is absent."""
        value = self.values.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.error(key, "an object")
        return Fields(value, f"{key} of {self.origin}")

    def error(self, key: str, wanted: str) -> CheckpointError:
        value = json.dumps(self.values[key])[:80] if self.values.get(key) is not None else "missing"
        return CheckpointError(f"'{key}' in {self.origin} should be {wanted}, but is {value}", _HINT)

    def _get(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        return default if value is None else value
