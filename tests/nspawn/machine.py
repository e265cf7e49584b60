"""A Debian tree booted with its own systemd as PID 1, in namespaces of its own, without a network to the outside.

It is driven from here by ``nsenter``, and its files are seen through ``/proc``. What is written in it goes with it, at
the latest when the block ends; it may be started anew before. All that was started has ended when the block ends,
however that is, and its control groups are gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BOOT_S, CALL_S, OFF_S = 240.0, 240.0, 60.0
"""Seconds. A boot takes one or two; a machine that does much else beside may take a hundred times as long."""
_CGROUPS = Path("/sys/fs/cgroup")
# Limits are set through these; nspawn lays those of the first version read-only, and the manager looks once.
_LIMITING = ("memory", "pids", "cpu", "devices")
# The overlay is laid here, and not by nspawn's --volatile, which lays a new one at each start. 133 is how nspawn ends
# where the machine is to be started anew (systemd-nspawn(1), --keep-unit); a wait is cut short by a signal.
_BOOT = """
set -e
for group in $GROUPS_OF_ITS_OWN; do echo $$ >"$group/cgroup.procs"; done
mount -t tmpfs -o mode=0755 machine "$PLACE"
mkdir "$PLACE/upper" "$PLACE/work" "$PLACE/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$PLACE/upper,workdir=$PLACE/work" machine "$PLACE/root"
set +e
while :; do
    "$@" &
    pid=$!
    trap "kill -TERM $pid" TERM
    wait $pid
    code=$?
    while kill -0 $pid 2>/dev/null; do wait $pid; code=$?; done
    [ $code = 133 ] || exit $code
done
"""
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Machine:
    """A booted machine; ``leader`` is its PID 1, as seen from here, ``process`` what boots it."""

    leader: int
    process: subprocess.Popen[bytes]

    def run(self, *command: str, check: bool = True, seconds: float = CALL_S) -> subprocess.CompletedProcess[str]:
        """Run a command as its root; with ``check`` it has to end with 0."""
        enter = ["nsenter", f"--target={self.leader}", "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=seconds, env=_ENVIRONMENT)
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def at(self, path: str) -> Path:
        """Return where one of its files is seen from here; no link may be in its path."""
        return Path(f"/proc/{self.leader}/root") / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        """Write one of its files, and make its folders."""
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """Read one of its files; "" without one."""
        with suppress(FileNotFoundError):
            return self.at(path).read_text(encoding="utf-8")
        return ""

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit's."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()

    def limits_memory(self) -> bool:
        """Whether its manager can limit memory: where control groups of the second version are, that has to be let."""
        return self.at(str(_CGROUPS / "memory")).is_dir() or "memory" in self.read(f"{_CGROUPS}/cgroup.controllers")

    def pid(self, unit: str) -> int:
        """Return the number that a service's main process has in it."""
        return int(self.show(unit, "MainPID"))

    def wait(self, what: str, is_so: Callable[[], bool], seconds: float = CALL_S) -> float:
        """Wait until something is so, and return how many seconds that took."""
        began = time.monotonic()
        while not is_so():
            took = time.monotonic() - began
            assert took < seconds, f"not within {seconds:.0f} s: {what}\n{self.journal()}"
            time.sleep(0.1)
        return time.monotonic() - began

    def reboot(self) -> Machine:
        """Start it anew, at once, with nothing of it being told, and return it once it runs: this one is gone."""
        self.run("systemctl", "reboot", "--force", "--force", check=False)
        until = time.monotonic() + OFF_S
        while psutil.pid_exists(self.leader):
            assert time.monotonic() < until, f"it did not go down within {OFF_S:.0f} s"
            time.sleep(0.05)
        return _running(self.process)

    def cursor(self) -> str:
        """Where the journal ends by now."""
        said = self.run("journalctl", "--no-pager", "--lines=1", "--show-cursor").stdout
        return said.rpartition("-- cursor: ")[2].strip()

    def journal(self, after: str = "") -> str:
        """What its services and its manager said, behind a cursor or last."""
        since = f"--after-cursor={after}" if after else "--lines=60"
        return self.run("journalctl", "--no-pager", since, "--output=short-monotonic", check=False).stdout


@contextmanager
def booted(tree: Path) -> Iterator[Machine]:
    """Boot a tree beneath an overlay, and power it off in the end."""
    groups = _own_groups()
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryDirectory() as place:
        nspawn = [
            *("systemd-nspawn", "--quiet", f"--directory={place}/root", "--register=no", "--keep-unit"),
            *("--private-network", "--console=pipe", f"--machine=edgekit-{os.getpid()}"),
            *("--setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "--boot"),
        ]
        # Where whoever boots it is killed, it is told to power off.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", "unshare", "--mount", "sh", "-c", _BOOT, "sh", *nspawn],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=_ENVIRONMENT | {"GROUPS_OF_ITS_OWN": " ".join(map(str, groups)), "TREE": str(tree), "PLACE": place},
            start_new_session=True,
        )
        try:
            yield _running(process)
        except BaseException:
            said.seek(0)
            print(said.read()[-4000:])  # pytest shows it where the test fails
            raise
        finally:
            _end(process)
            for group in groups:
                _remove(group)


def _inside(process: subprocess.Popen[bytes]) -> list[Machine]:
    """The machine, once it has processes of its own: a child that has not is still on its way, and sees those here."""
    machines: list[Machine] = []
    with suppress(psutil.NoSuchProcess, OSError):
        for nspawn in psutil.Process(process.pid).children():
            for child in nspawn.children():
                theirs, ours = (os.readlink(f"/proc/{name}/ns/pid") for name in (child.pid, "self"))
                if theirs != ours:
                    machines.append(Machine(child.pid, process))
    return machines


def _running(process: subprocess.Popen[bytes]) -> Machine:
    """The machine, once all that starts with it has been started, and it may limit what its services take."""
    until = time.monotonic() + BOOT_S
    while time.monotonic() < until:
        assert process.poll() is None, "it did not boot"
        for machine in _inside(process):
            with suppress(subprocess.TimeoutExpired):
                state = machine.run("systemctl", "is-system-running", check=False, seconds=30).stdout.strip()
                if state in ("running", "degraded"):
                    _let_limit(machine)
                    return machine
        time.sleep(0.2)
    raise AssertionError(f"it did not boot within {BOOT_S:.0f} s")


def _let_limit(machine: Machine) -> None:
    remount = 'for name in "$@"; do mountpoint -q "$name" && mount -o remount,bind,rw "$name"; done; true'
    machine.run("sh", "-c", remount, "sh", *(str(_CGROUPS / name) for name in _LIMITING))
    machine.run("systemctl", "daemon-reexec")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Power it off; where that takes too long, kill its PID 1, and with that all in it."""
    for machine in _inside(process):
        with suppress(subprocess.TimeoutExpired):
            machine.run("systemctl", "poweroff", check=False, seconds=OFF_S)
    try:
        process.wait(OFF_S)
    except subprocess.TimeoutExpired:
        for machine in _inside(process):
            os.kill(machine.leader, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(OFF_S)


def _own_groups() -> list[Path]:
    """Make a control group of its own below this process's, in each hierarchy that matters."""
    groups: list[Path] = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        name = names.removeprefix("name=") or "unified"
        folder = _CGROUPS / name if (_CGROUPS / name).is_dir() else _CGROUPS
        if name in ("systemd", "unified", *_LIMITING) and (folder / path.lstrip("/")).is_dir():
            groups.append(folder / path.lstrip("/") / f"edgekit-{os.getpid()}")
            groups[-1].mkdir(exist_ok=True)
    return groups


def _remove(group: Path) -> None:
    """Remove a control group and those below it; processes that have just ended may hold one for a moment."""
    for _ in range(50):
        folders = sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
        for folder in (*folders, group):
            with suppress(OSError):
                folder.rmdir()
        if not group.exists():
            return
        time.sleep(0.1)
