"""Installations of stand-in releases: a service whose state lies in a file, as systemd's outlives a process, and a
child that installs and is killed.

``python -m tests.deploying FOLDER POINT…`` begins a process for each point, which installs NEW over OLD below
FOLDER/POINT and kills itself: at its POINT-th word of progress, two a step; or at "stage", half-way through writing the
release; or at "start", when the service runs. It ends with their statuses, as JSON. The disk is not waited for: a
signal loses nothing that was written.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from edgekit.deploy.install import install as install_order
from edgekit.deploy.journal import Journal
from edgekit.deploy.layout import Layout
from edgekit.deploy.order import Order
from edgekit.deploy.states import Standing, standing
from edgekit.deploy.steps import UNIT, Hands
from edgekit.deploy.systemd import START_S, STOP_S, ServiceState
from edgekit.deploy.trial import Look, commit, watch
from edgekit.errors import EdgeKitError
from edgekit.files import writing
from edgekit.progress import Progress

OLD, NEW, THIRD = ("1" * 64, "2" * 64, "3" * 64)
ROOT = Path(__file__).parents[1]
CONFIGURATION = {"/etc/default/edgekit": "EDGEKIT_PORT=8080\n"}
WATCHING = {"/etc/systemd/system/edgekit-commit.timer": "timer\n", "/etc/sysusers.d/edgekit.conf": "u edgekit\n"}


@dataclass
class FileServices:
    """Services that run in a file alone: each with the release that ``current`` named when it was started.

    A release whose folder holds a file "broken" does not start. ``told`` has every call that changed something;
    ``result`` and ``restarts`` are the service's, in systemd's words; ``meanwhile`` is how it fares that runs, ``pid``
    its process. It lies in ``file``, else with the installation's own state.
    """

    layout: Layout
    at_start: Callable[[], None] = lambda: None
    told: list[str] = field(default_factory=list)
    result: str = "success"
    restarts: int = 0
    meanwhile: str = "active"
    pid: int = 0
    file: Path | None = None

    @property
    def running(self) -> str:
        """The release that the service runs; "" where it doesn't."""
        return str(self._read().get(UNIT, "")).removeprefix("!")

    def state(self, unit: str) -> ServiceState:
        """As of the protocol."""
        words = self._read().get(unit, "")
        active = "failed" if words.startswith("!") else "active" if words else "inactive"
        if unit != UNIT:
            return ServiceState(active=active)
        active, pid = (self.meanwhile, self.pid) if active == "active" else (active, 0)
        return ServiceState(active=active, result=self.result, pid=pid, restarts=self.restarts)

    def start(self, unit: str, seconds: float = START_S) -> None:
        """As of the protocol."""
        self.told.append(f"start {unit}")
        if unit != UNIT:
            return self._write(unit, "runs")
        if self.state(UNIT).runs:
            return None
        self.result, self.restarts = "success", 0
        release = self.layout.running()
        if release is None or (self.layout.release(release) / "broken").exists():
            self._write(UNIT, f"!{release}")
            self.result = "exit-code"
            raise EdgeKitError("edgekit.service did not start (exit-code)", "journalctl shows more.")
        self._write(UNIT, release)
        return self.at_start()

    def stop(self, unit: str, seconds: float = STOP_S) -> None:
        """As of the protocol."""
        self.told.append(f"stop {unit}")
        self._write(unit, "")

    def restart(self, unit: str, seconds: float = START_S) -> None:
        """As of the protocol."""
        self.stop(unit)
        self.start(unit)

    def crash(self) -> None:
        """Let the service have crashed, and run again."""
        self.restarts += 1

    def fail(self, result: str = "exit-code", restarts: int = 2) -> None:
        """Let the service have failed for good."""
        self._write(UNIT, f"!{self.running}")
        self.result, self.restarts = result, restarts

    def boot(self) -> None:
        """Let the machine be started anew, with the release that ``current`` names."""
        self._file.unlink(missing_ok=True)
        self.start(UNIT)

    def reset_failed(self, unit: str) -> None:
        """As of the protocol."""
        if self.state(unit).active == "failed":
            self._write(unit, "")
            self.result, self.restarts = "success", 0

    def enable(self, unit: str) -> None:
        """As of the protocol."""
        self.told.append(f"enable {unit}")

    def disable(self, unit: str) -> None:
        """As of the protocol."""
        self.told.append(f"disable {unit}")

    def reload(self) -> None:
        """As of the protocol."""
        self.told.append("reload")

    def make_users(self, name: str) -> None:
        """As of the protocol."""
        self.told.append(f"users {name}")

    def ids(self, user: str) -> tuple[int, int]:
        """As of the protocol."""
        return os.getuid(), os.getgid()

    def last_lines(self, unit: str, lines: int = 3) -> tuple[str, ...]:
        """As of the protocol."""
        return ("it says nothing",)

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def _write(self, unit: str, words: str) -> None:
        content = self._read() | {unit: words}
        self._file.write_text(json.dumps(content), encoding="utf-8")

    @property
    def _file(self) -> Path:
        return self.file or self.layout.state / "services.json"


@dataclass
class Site:
    """An installation below ``folder``, and what its stand-ins did. ``refusing``: the phases that say no, with what;
    ``examined``: which phases ran, with the release that the service ran meanwhile.
    ``results``: what comes of a phase; ``broken``: releases that don't start."""

    folder: Path
    refusing: dict[str, Exception] = field(default_factory=dict)
    examined: list[tuple[str, str]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    at_half: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.layout = Layout(self.folder)
        self.services = FileServices(self.layout)
        self.hands = Hands(
            layout=self.layout,
            services=self.services,
            stage=self._stage,
            examine=self._examine,
            preflight=partial(self._look, "preflight"),
            verify=partial(self._look, "verify"),
        )

    @property
    def journal(self) -> Journal:
        """Its journal."""
        return Journal(self.layout.state)

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return standing(self.layout)

    def order(self, release: str, **words: Any) -> Order:
        """Order a release."""
        unit = {"/etc/systemd/system/edgekit.service": "unit\n"}
        order = Order(
            bundle=Path("bundle"),
            digest=release,
            wheels="",
            release=release,
            configuration=CONFIGURATION,
            watching=WATCHING,
            unit=unit,
            users="edgekit.conf",
            owned={"/etc/edgekit": "edgekit"},
        )
        return replace(order, **words)

    def install(self, release: str, **words: Any) -> None:
        """Install a release, to its trial."""
        install_order(self.order(release, **words), self.hands)

    def installed(self, release: str) -> Site:
        """Install a release and commit it; return this site."""
        self.install(release)
        commit(self.hands)
        return self

    def watch(self, why: str = "") -> Look:
        """Look at the trial; ``why`` the service is not healthy."""
        return watch(self.hands, lambda: why)

    def _look(self, what: str, *arguments: object) -> None:
        if what in self.refusing:
            raise self.refusing[what]

    def _stage(self, bundle: Path, wheels: str, release: str, progress: Progress) -> None:
        partial_folder = self.layout.partial(release)
        with writing(partial_folder):
            (partial_folder / "site").mkdir(parents=True, exist_ok=True)
            (partial_folder / "release.json").write_text(release, encoding="utf-8")
            self.at_half()
            self._look("stage")
            if release in self.broken:
                (partial_folder / "broken").touch()
            partial_folder.rename(self.layout.release(release))

    def _examine(self, phase: str, bundle: Path, progress: Progress) -> Mapping[str, Any]:
        self.examined.append((phase, self.services.running))
        self._look(phase)
        return self.results.get(phase, {"phase": phase})


def kill() -> None:
    """End this process as nothing can be caught."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed(folder: Path, points: Sequence[str]) -> dict[str, int]:
    """Install NEW over OLD in children of their own, each killed at its point; the signals that ended them, 0 for
    none."""
    command = [sys.executable, "-m", "tests.deploying", str(folder), *points]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main(folder: Path, points: Sequence[str]) -> None:
    """Begin the children, one after the other: this process has no other thread."""
    os.fsync = lambda fd: None
    signals = {}
    for point in points:
        Site(folder / point).installed(OLD)
        if (child := os.fork()) == 0:
            _install(folder / point, point)
            os._exit(0)
        signals[point] = os.waitpid(child, 0)[1] & 0x7F
    print(json.dumps(signals))


def _install(folder: Path, point: str) -> None:
    site = Site(folder, at_half=kill if point == "stage" else lambda: None)
    site.services.at_start = kill if point == "start" else lambda: None
    words = 0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal words
        words += 1
        if str(words) == point:
            kill()

    site.hands = replace(site.hands, progress=progress)
    site.install(NEW)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
