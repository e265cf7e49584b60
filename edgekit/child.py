"""A Python process of EdgeKit's own: what must be able to crash alone, or is measured from a clean start."""

from __future__ import annotations

import os
import sys

# As -m runs a module, but for Python 3.10, which knows no PYTHONSAFEPATH: there, -m and -c put the working directory
# first, and a file of somebody else's that lies in it would be imported for one of ours.
_RUN = (
    "import sys; sys.path[:] = filter(None, sys.path); import runpy; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with the interpreter that runs this."""
    return [sys.executable, "-c", _RUN, module, *arguments]


def environment() -> dict[str, str]:
    """This process's environment, in which a child finds every module that this process has found, and no other."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}
