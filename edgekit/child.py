"""A Python process of EdgeKit's own: what must be able to crash alone, or is measured from a clean start."""

from __future__ import annotations

import os
import sys


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with the interpreter that runs this."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """This process's environment, in which a child finds every module that this process has found, and no other."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
