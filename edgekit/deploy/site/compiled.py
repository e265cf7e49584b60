"""Modules compiled to bytecode where they are written: a release is read only later, and a service starts faster.

The bytecode is taken as it is (PEP 552, unchecked), since the files of a release don't change and their times tell
nothing; and it names the place where the service will see them, so that equal modules give equal files.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from edgekit.errors import EdgeKitError, gist

SEEN_AT = "/mnt/release/site"
"""Where a running service sees the code of its release."""


def compile_modules(folder: Path, modules: Sequence[Path] = ()) -> None:
    """Compile all modules in ``folder``, or those that are named; one that is no Python of this version is left as it
    is."""
    folder = folder.absolute()
    arguments = ["-qq", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", SEEN_AT]
    named = [str(module.absolute()) for module in modules] or [str(folder)]
    run_clean([sys.executable, "-s", "-m", "compileall", *arguments, *named], {"PYTHONHASHSEED": "0"})


def run_clean(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with no variable of this process's environment, but where programs lie, and in a folder that holds no
    modules; return its output, whatever its exit code. Everybody may read what it writes.

    :class:`EdgeKitError` where it can't be started.
    """
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **variables}
    try:
        return subprocess.run(
            command, cwd="/", env=environment, umask=0o022, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError as error:
        raise EdgeKitError(f"{command[0]} can't be run: {gist(str(error))}", "Install again with a Python.") from error
