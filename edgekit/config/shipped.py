"""The small files that ship with EdgeKit, found by name in a source checkout and in an installed wheel.

A checkout keeps them where people look for them (``targets/``, ``build/recipes/``, ``containers/``); the wheel carries
copies in ``edgekit/_data/``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeVar

from edgekit.config.readers import did_you_mean
from edgekit.config.reading import load_toml
from edgekit.errors import ConfigError

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = {
    "containers": _PACKAGE.parent / "containers",
    "recipes": _PACKAGE.parent / "build" / "recipes",
    "targets": _PACKAGE.parent / "targets",
}


def shipped(folder: str) -> dict[str, Path]:
    """Return the shipped files of "targets" or "recipes" by name, in alphabetical order."""
    return {path.stem: path for path in sorted(shipped_folder(folder).glob("*.toml"))}


def shipped_folder(folder: str) -> Path:
    """Return where what ships of "targets", "recipes" or "containers" lies."""
    wheel = _PACKAGE / "_data" / folder
    return wheel if wheel.is_dir() else _CHECKOUT[folder]


def load_shipped(folder: str, word: str, cls: type[T]) -> T:
    """Read ``word`` as ``cls``: a shipped name ("orin"), or the path of a TOML file ("./ward7.toml")."""
    if word.endswith(".toml") or os.sep in word:
        return load_toml(Path(word), cls)
    files = shipped(folder)
    if word not in files:
        hint = f"{did_you_mean(word, files)} A file of your own is given by its path, ending in .toml."
        raise ConfigError(f"there is no {folder.removesuffix('s')} called '{word}'", hint)
    return load_toml(files[word], cls)


def require_name(name: str) -> None:
    """Raise :class:`ConfigError` unless ``name`` can be part of a folder's name: bundles are called after it."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name[:40]!r} is no name for a file to go by", "Use letters, digits, '.', '_' and '-'.")
