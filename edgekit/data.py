"""The small TOML files that ship with EdgeKit, found by name in a source checkout and in an installed wheel.

A checkout keeps them where people look for them (``targets/``, ``build/recipes/``); the wheel carries copies in
``edgekit/_data/``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from edgekit import config
from edgekit.errors import ConfigError

T = TypeVar("T")

_PACKAGE = Path(__file__).parent
_CHECKOUT = {"targets": _PACKAGE.parent / "targets", "recipes": _PACKAGE.parent / "build" / "recipes"}


def shipped(folder: str) -> dict[str, Path]:
    """The shipped files of "targets" or "recipes" by name, in alphabetical order."""
    wheel = _PACKAGE / "_data" / folder
    place = wheel if wheel.is_dir() else _CHECKOUT[folder]
    return {path.stem: path for path in sorted(place.glob("*.toml"))}


def load_shipped(folder: str, word: str, cls: type[T]) -> T:
    """Read ``word`` as ``cls``: a shipped name ("orin"), or the path of a TOML file ("./ward7.toml")."""
    if word.endswith(".toml") or os.sep in word:
        return config.load_toml(Path(word), cls)
    known = shipped(folder)
    if word not in known:
        hint = f"{config.did_you_mean(word, known)} A file of your own is given by its path, ending in .toml."
        raise ConfigError(f"there is no {folder.removesuffix('s')} called '{word}'", hint)
    return config.load_toml(known[word], cls)
