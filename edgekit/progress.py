"""How long work tells the outside how far it is; the library itself never prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""progress(stage, done, total): called from one thread; a stage ends with done == total."""


def silent(stage: str, done: int, total: int) -> None:
    """Say nothing: a :data:`Progress` for callers who don't care."""
