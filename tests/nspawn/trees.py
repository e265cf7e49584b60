"""Debian trees to boot: made once by mmdebstrap, and kept between runs in the user's cache.

A tree is never changed: it is booted beneath an overlay that goes with the machine (:mod:`tests.nspawn.machine`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3")
RELEASES = {"bullseye": 247, "bookworm": 252, "trixie": 257}
"""Debian's releases, and which systemd each has: around 249, which is JetPack 6's, and 255, which is JetPack 7's."""
MAKE_S = 1200


def tree(release: str, packages: Sequence[str] = PACKAGES) -> Path:
    """Return a tree of a Debian release with some packages; fails where it can't be made."""
    program = shutil.which("mmdebstrap")
    assert program, "mmdebstrap is missing: `make test-system` installs it, as root, with .ci/apt"
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    made = _folder() / f"{release}-{digest}"
    with _alone(made):
        if not made.exists():
            partial = made.with_name(f"{made.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            command = [
                program,
                "--quiet",
                "--variant=minbase",
                f"--include={','.join(packages)}",
                release,
                str(partial),
            ]
            done = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_S)
            assert done.returncode == 0, done.stderr[-2000:]
            partial.rename(made)
    return made


def require_root() -> None:
    """Skip a test where nothing can be booted at all."""
    if os.geteuid() != 0:
        pytest.skip("a tree is made and booted as root")
    if not shutil.which("systemd-nspawn"):
        pytest.skip("systemd-nspawn is missing: `make test-system` installs it, as root, with .ci/apt")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make namespaces, so nothing can be booted in one")


def _folder() -> Path:
    named = os.environ.get("XDG_CACHE_HOME", "")
    folder = (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "edgekit-tests" / "trees"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
