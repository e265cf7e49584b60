"""The machine that is examined: its files below a root, its programs, its environment.

Checks see the machine through a :class:`Host` only. With another root, another ``runner`` and the other readers
replaced it is any machine whose files and answers were recorded.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path

from edgekit.child import environment
from edgekit.machine.detect import Machine, detect
from edgekit.machine.gpus import Gpu, shown
from edgekit.machine.system import read_text

# Where programs of the system lie that an ordinary user's PATH may leave out: nvpmodel, ldconfig; WSL's nvidia-smi.
_MORE_PATHS = ("/usr/sbin", "/sbin", "/usr/lib/wsl/lib")


@dataclass(frozen=True)
class Reply:
    """A program's answer; ``code`` is None where it did not run to its end, and ``why`` says why."""

    code: int | None
    out: str = ""
    err: str = ""
    why: str = ""

    @property
    def missing(self) -> bool:
        return self.why == MISSING


MISSING = "is not installed"
Runner = Callable[[tuple[str, ...], float, Mapping[str, str]], Reply]


def run(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
    """Run a program for at most ``seconds``; one that does not end is killed, or left alone where even that fails."""
    path = os.pathsep.join((variables.get("PATH", os.defpath), *_MORE_PATHS))
    program = shutil.which(command[0], path=path)
    if program is None:
        return Reply(None, why=MISSING)
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            (program, *command[1:]), stdin=nothing, stdout=pipe, stderr=pipe, env=variables, start_new_session=True
        )
    except OSError as error:
        return Reply(None, why=f"can't be run: {error.strerror}")
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Reply(None, why=f"gave no answer within {seconds:g} s")
    return Reply(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started; one that waits in the kernel (a stuck driver) can't be ended or waited for."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=1)


def _disk_free(path: Path) -> int:
    return shutil.disk_usage(path).free


def _group(path: Path) -> str:
    import grp  # Windows has none

    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


@dataclass
class Host:
    """A machine and whoever examines it. ``folder`` is where bundles go; ``site`` are the folders of Python's packages;
    ``package`` is EdgeKit's own; ``virtual``: a virtual environment; ``now``: seconds since 1970."""

    root: Path = Path("/")
    system: str = platform.system()
    arch: str = platform.machine()
    python: tuple[int, int, int] = sys.version_info[:3]
    virtual: bool = sys.prefix != sys.base_prefix
    folder: Path = field(default_factory=Path.cwd)
    site: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    package: Path = Path(__file__).parents[1]
    environment: Mapping[str, str] = field(default_factory=lambda: environment() | {"LC_ALL": "C.UTF-8"})
    now: Callable[[], float] = time.time
    runner: Runner = run
    may_open: Callable[[Path], bool] = lambda path: os.access(path, os.R_OK | os.W_OK)
    group: Callable[[Path], str] = _group
    disk_free: Callable[[Path], int] = _disk_free
    _replies: dict[tuple[str, ...], Reply] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def read(self, name: str) -> str:
        """A file of the system's by its name below the root; "" where it is missing or can't be read."""
        return read_text(self.root / name)

    def glob(self, pattern: str) -> list[Path]:
        """Files by their name below the root, sorted; those of a folder that can't be read are left out."""
        try:
            return sorted(self.root.glob(pattern))
        except OSError:
            return []

    def run(self, *command: str, seconds: float = 10) -> Reply:
        """A program's answer. Each question is asked once, and a program that hung is not asked again."""
        with self._locks.setdefault(command[0], threading.Lock()):
            if command not in self._replies:
                earlier = (reply for asked, reply in self._replies.items() if asked[0] == command[0])
                hung = next((reply for reply in earlier if "no answer" in reply.why), None)
                self._replies[command] = hung or self.runner(command, seconds, self.environment)
            return self._replies[command]

    def installed(self, name: str) -> Distribution | None:
        """An installed Python package, without importing it; the empty folders that pip may leave are none."""
        found = distributions(name=name, path=list(self.site))
        return next((one for one in found if one.read_text("METADATA") or one.read_text("PKG-INFO")), None)

    @cached_property
    def machine(self) -> Machine:
        """As EdgeKit sees it: of the GPUs those that CUDA shows."""
        found = detect(self.root, self.arch, [gpu for gpu in self._gpus if gpu not in self.hidden])
        # With none to show, those would come back that the kernel lists by their name.
        return replace(found, gpus=()) if self.hidden and len(self.hidden) == len(self._gpus) else found

    @cached_property
    def hidden(self) -> list[Gpu]:
        """The GPUs that ``CUDA_VISIBLE_DEVICES`` keeps from every program that computes."""
        seen = list(shown(self._gpus, self.environment))
        return [gpu for gpu in self._gpus if gpu not in seen]

    @cached_property
    def _gpus(self) -> list[Gpu]:
        return _gpus(self)

    @cached_property
    def wsl(self) -> int:
        """1 or 2 inside Windows Subsystem for Linux, else 0. Its kernels are called 4.4.0-19041-Microsoft (1) and
        5.15.167.4-microsoft-standard-WSL2 (2): github.com/microsoft/WSL/issues/4555."""
        kernel = self.read("proc/sys/kernel/osrelease").lower()
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
    found = [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]
    return found[-1].strip().strip("\"'") if found else ""


_FIELDS = "name,compute_cap,memory.total,driver_version,uuid"
_QUERY = ("nvidia-smi", f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits")


def _gpus(host: Host) -> list[Gpu]:
    """What nvidia-smi tells: "NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, GPU-1b2c…"; memory in MiB, "[N/A]" on a
    Jetson."""
    reply = host.run(*_QUERY)
    rows = [[cell.strip() for cell in line.split(",")] for line in reply.out.splitlines()] if reply.code == 0 else []
    return [
        Gpu(name, capability if capability.replace(".", "").isdecimal() else "", _mib(memory), driver, uuid)
        for name, capability, memory, driver, uuid in (row for row in rows if len(row) == 5)
    ]


def _mib(text: str) -> int:
    return int(text) * 2**20 if text.isdecimal() else 0
