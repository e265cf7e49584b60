"""Images built by buildah and run by podman, in a store of their own, without any engine that runs beside them.

Nothing of it has a network: what is built is built in a namespace without one. It works with control groups of either
version, as root; a storage driver is chosen by what this machine lets.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("buildah", "podman", "runc")
BUILD_S, CALL_S, HEALTHY_S = 900.0, 120.0, 240.0
"""Seconds; a machine that does much else beside takes ten times what a quiet one does."""
CLOSED = (
    *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    "--tmpfs=/tmp:mode=1777,nosuid,nodev",
)
"""How compose.yaml closes a container off, and without the machine's network, too."""
# Trees are of systems that boot: what a Python needs not is left out, since every layer is read and hashed.
_LEFT_OUT = (
    "usr/share",
    "usr/lib/systemd",
    "usr/lib/udev",
    "var/cache",
    "var/lib/apt",
    "boot",
    "dev",
    "proc",
    "sys",
    "run",
)
_NPROC = 4096


def require_podman() -> None:
    """Skip a test where images can't be built or run at all."""
    if os.geteuid() != 0:
        pytest.skip("images are built and run as root")
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        pytest.skip(f"{', '.join(missing)}: `make test-system` installs them, as root, with .ci/apt")
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make namespaces")


@dataclass(frozen=True)
class Podman:
    """A store of images in ``folder``, and what builds and runs them."""

    folder: Path
    driver: str

    def import_tree(self, tree: Path, name: str) -> str:
        """Make an image of a Debian tree, and return its name."""
        options = [f"--exclude=./{path}/*" for path in _LEFT_OUT]
        with subprocess.Popen(["tar", "-C", str(tree), *options, "-c", "."], stdout=subprocess.PIPE) as packed:
            self._podman("import", "--quiet", "-", name, stdin=packed.stdout, seconds=BUILD_S)
        assert packed.returncode == 0
        return name

    def build(self, context: Path, name: str, base: str, *options: str, check: bool = True) -> str:
        """Build an image without a network, and return what was said; with ``check`` it has to come to an end."""
        command = ["unshare", "--net", "buildah", *self._store, "bud", "--format=docker", "--pull-never"]
        command += ["--isolation=chroot", "--layers=false", f"--build-arg=BASE={base}", f"--tag={name}", *options]
        done = _run([*command, str(context)], BUILD_S)
        assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        assert check or done.returncode != 0, "it was built"
        return done.stdout + done.stderr

    def run(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a container; with ``check`` it has to end with 0."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limits = (f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={_NPROC}:{_NPROC}")
        return self._podman("run", "--log-driver=k8s-file", *limits, *options, check=check)

    def exec(self, name: str, *words: str, said: str = "") -> str:
        """Run a command within a container, tell it ``said``, and return its output."""
        return self._podman("exec", "--interactive", name, *words, text=said).stdout

    def stop(self, name: str) -> int:
        """Stop a container, and return its exit code."""
        self._podman("stop", "--time=60", name)
        return int(self._podman("inspect", "--format={{.State.ExitCode}}", name).stdout)

    def logs(self, name: str) -> str:
        """What a container said."""
        done = self._podman("logs", name)
        return done.stdout + done.stderr

    def is_healthy(self, name: str) -> bool:
        """Whether its image's own check says so."""
        return self._podman("healthcheck", "run", name, check=False).returncode == 0

    def wait_until_healthy(self, name: str) -> None:
        """Wait for it; fails at once where the container has ended."""
        until = time.monotonic() + HEALTHY_S
        while not self.is_healthy(name):
            running = self._podman("inspect", "--format={{.State.Running}}", name).stdout.strip()
            assert running == "true", f"it has ended: {self.logs(name)}"
            assert time.monotonic() < until, f"not healthy within {HEALTHY_S:.0f} s: {self.logs(name)}"
            time.sleep(0.5)

    def close(self) -> None:
        """End and remove all of it."""
        self._podman("rm", "--force", "--all", "--time=0", check=False)
        self._podman("volume", "rm", "--all", "--force", check=False)
        subprocess.run(["umount", "--recursive", str(self.folder / "store" / self.driver)], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _store(self) -> list[str]:
        places = ("--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"))
        return [*places, "--storage-driver", self.driver]

    def _podman(
        self, *words: str, check: bool = True, text: str = "", stdin: object = None, seconds: float = CALL_S
    ) -> subprocess.CompletedProcess[str]:
        command = [
            "podman",
            *self._store,
            "--cgroup-manager=cgroupfs",
            "--runtime=runc",
            "--events-backend=file",
            *words,
        ]
        done = _run(command, seconds, text, stdin)
        assert not check or done.returncode == 0, (
            f"podman {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
        return done


def podman_in(folder: Path) -> Podman:
    """Return an empty store in a new folder, by the fastest driver that this machine lets."""
    folder.mkdir()
    return Podman(folder, "overlay" if _lets_overlay(folder) else "vfs")


def _lets_overlay(folder: Path) -> bool:
    """A file system may not be one to lay others over, as where this itself runs in a container."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        script = 'cd "$1" && mkdir a b c d && mount -t overlay -o lowerdir=a,upperdir=b,workdir=c overlay d'
        command: Sequence[str] = ("unshare", "--mount", "sh", "-c", script, "sh", place)
        return subprocess.run(command, capture_output=True).returncode == 0


def _run(
    command: Sequence[str], seconds: float, text: str = "", stdin: object = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; its output goes to files, since what it starts may hold a pipe open for as long as it lives."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, tempfile.TemporaryFile("w+") as told:
        told.write(text)
        told.seek(0)
        given = told if stdin is None else stdin
        code = subprocess.run(command, stdin=given, stdout=out, stderr=err, timeout=seconds).returncode  # type: ignore[call-overload]
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(command), code, out.read(), err.read())
