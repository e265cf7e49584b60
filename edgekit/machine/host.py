"""The machine that is read: its files below a root, its programs, its environment.

Whoever reads a machine's state does it through a :class:`Host` only. With another root, another ``runner`` and
the other readers replaced it is any machine whose files and answers were recorded.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path

from edgekit.child import environment
from edgekit.machine.detect import Machine, detect
from edgekit.machine.gpus import Gpu, shown
from edgekit.machine.moment import RELEASED
from edgekit.machine.programs import Reply, Runner, run
from edgekit.machine.smi import listed
from edgekit.machine.system import architecture, read_text


def _disk_free(path: Path) -> int:
    return shutil.disk_usage(path).free


def _group(path: Path) -> str:
    import grp  # Windows has none

    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


@dataclass(kw_only=True)
class Host:
    """A machine and whoever reads it.

    * ``root``: where its files lie; ``system``, ``arch``, ``python``: as Python names them
    * ``virtual``: whether Python runs in a virtual environment; ``site``: the folders of its packages
    * ``folder``: where bundles go; ``package``: EdgeKit's own
    * ``environment``: variables, for programs that are run, too; ``runner`` runs them
    * ``now``, ``released``: seconds since 1970, of this moment and of EdgeKit's release
    * ``may_open``, ``group``, ``disk_free``: of a path
    * ``seen``: what the machine is, where that was looked at already
    """

    root: Path = Path("/")
    system: str = platform.system()
    arch: str = field(default_factory=architecture)
    python: tuple[int, int, int] = sys.version_info[:3]
    virtual: bool = sys.prefix != sys.base_prefix
    folder: Path = field(default_factory=Path.cwd)
    site: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    package: Path = Path(__file__).parents[1]
    environment: Mapping[str, str] = field(default_factory=lambda: environment() | {"LC_ALL": "C.UTF-8"})
    now: Callable[[], float] = time.time
    released: float = RELEASED.timestamp()
    runner: Runner = run
    may_open: Callable[[Path], bool] = lambda path: os.access(path, os.R_OK | os.W_OK)
    group: Callable[[Path], str] = _group
    disk_free: Callable[[Path], int] = _disk_free
    seen: Machine | None = None
    _replies: dict[tuple[str, ...], Reply] = field(default_factory=dict)
    _locks: dict[tuple[str, ...], threading.Lock] = field(default_factory=dict)

    def read(self, name: str) -> str:
        """Read a file of the system's by its name below the root; "" where it is missing or can't be read."""
        return read_text(self.root / name)

    def glob(self, pattern: str) -> list[Path]:
        """List files by their name below the root, sorted; those of a folder that can't be read are left out."""
        try:
            return sorted(self.root.glob(pattern))
        except OSError:
            return []

    def run(self, *command: str, seconds: float = 10) -> Reply:
        """Ask a program. Each question is asked once, and a program that hung is not asked again."""
        program = command if command[1:2] == ("-c",) else command[:1]  # an interpreter runs many
        with self._locks.setdefault(program, threading.Lock()):
            if command not in self._replies:
                earlier = (reply for asked, reply in self._replies.items() if asked[: len(program)] == program)
                hung = next((reply for reply in earlier if "no answer" in reply.why), None)
                self._replies[command] = hung or self.runner(command, seconds, self.environment)
            return self._replies[command]

    def installed(self, name: str) -> Distribution | None:
        """Find an installed Python package, without importing it; the empty folders that pip may leave are none."""
        every = distributions(name=name, path=list(self.site))
        return next(
            (package for package in every if package.read_text("METADATA") or package.read_text("PKG-INFO")), None
        )

    @cached_property
    def machine(self) -> Machine:
        """As EdgeKit sees it: of the GPUs those that CUDA shows."""
        if self.seen is not None:
            return self.seen
        computer = detect(self.root, self.arch, [gpu for gpu in self._gpus if gpu not in self.hidden])
        # With none to show, those would come back that the kernel lists by their name.
        return replace(computer, gpus=()) if self.hidden and len(self.hidden) == len(self._gpus) else computer

    @cached_property
    def hidden(self) -> list[Gpu]:
        """The GPUs that ``CUDA_VISIBLE_DEVICES`` keeps from every program that computes."""
        seen = list(shown(self._gpus, self.environment))
        return [gpu for gpu in self._gpus if gpu not in seen]

    @cached_property
    def _gpus(self) -> list[Gpu]:
        return listed(self.run)

    @cached_property
    def kernel(self) -> str:
        """The release of its kernel, "6.8.0-85-generic"; "" where it doesn't say."""
        return self.read("proc/sys/kernel/osrelease").strip()

    @cached_property
    def wsl(self) -> int:
        """1 or 2 inside Windows Subsystem for Linux, else 0. Its kernels are called 4.4.0-19041-Microsoft (1) and
        5.15.167.4-microsoft-standard-WSL2 (2): github.com/microsoft/WSL/issues/4555."""
        kernel = self.kernel.lower()
        return 0 if "microsoft" not in kernel else 2 if "wsl2" in kernel else 1

    @cached_property
    def container(self) -> bool:
        """Docker and Podman leave a file that says so."""
        return any((self.root / name).exists() for name in (".dockerenv", "run/.containerenv"))

    @cached_property
    def l4t(self) -> int:
        """The major release of a Jetson's system: 36 on JetPack 6, 38 and 39 on JetPack 7; 0 elsewhere."""
        major = self.machine.l4t.split(".")[0]
        return int(major) if major.isdecimal() else 0

    @cached_property
    def distribution(self) -> tuple[str, ...]:
        """The Linux distribution and those that it is like: ("ubuntu", "debian"); os-release(5)."""
        text = self.read("etc/os-release")
        words = [_shell_value(text, name) for name in ("ID", "ID_LIKE")]
        return tuple(" ".join(words).split())

    @cached_property
    def distribution_title(self) -> str:
        return _shell_value(self.read("etc/os-release"), "PRETTY_NAME")


def _shell_value(text: str, name: str) -> str:
    values = [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]
    return values[-1].strip().strip("\"'") if values else ""
