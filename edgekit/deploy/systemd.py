"""Who starts and stops services: a protocol, and systemd behind it, asked through ``systemctl``.

Every question has a limit of time, and what went wrong comes as one sentence with the service's own last lines, since
``systemctl`` says no more than where to look. Below another root (an image's tree) nothing runs: there, services are
enabled and users are made, and what would start something is an error.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgekit.errors import EdgeKitError, gist
from edgekit.machine.programs import Reply, Runner, run

START_S, STOP_S, RELOAD_S, CALL_S = 660.0, 660.0, 200.0, 30.0
"""Seconds: a start ends by itself after the unit's ten minutes, a stop after the site's grace time; systemctl waits 180
for the units to be read; systemd answers anything else at once, but for one that is busy."""
LINES = 3


@dataclass(frozen=True)
class ServiceState:
    """How a service fares, in systemd's words.

    - ``active``: "active", "activating", "deactivating", "failed", "inactive"; ``sub``: more exactly ("auto-restart")
    - ``result``: how it ended last: "success", "exit-code", "watchdog", "oom-kill", "start-limit-hit" …
    - ``pid``: of its main process, 0 without one; ``restarts``: how often systemd started it again by itself
    """

    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    pid: int = 0
    restarts: int = 0

    @property
    def runs(self) -> bool:
        """Whether it runs, or is about to."""
        return self.active in ("active", "activating", "reloading")

    @property
    def ready(self) -> bool:
        """Whether it said that it can be asked."""
        return self.active in ("active", "reloading")


class Services(Protocol):
    """Who starts and stops services, called by their units' names; :class:`EdgeKitError` says what can't be done."""

    def state(self, unit: str) -> ServiceState:
        """Tell how a service fares; one that is not there is inactive."""

    def start(self, unit: str, seconds: float = START_S) -> None:
        """Start a service, and wait until it is ready; one that runs already is left alone."""

    def stop(self, unit: str, seconds: float = STOP_S) -> None:
        """Stop a service, and wait until it has ended; one that doesn't run is left alone."""

    def restart(self, unit: str, seconds: float = START_S) -> None:
        """Stop a service and start it, and wait until it is ready."""

    def reset_failed(self, unit: str) -> None:
        """Forget that a service failed, and how often it was started lately."""

    def enable(self, unit: str) -> None:
        """Have a service start with the machine; systemd is not made to read the units anew."""

    def disable(self, unit: str) -> None:
        """Have a service start no more with the machine, as :meth:`enable`; one that is not there is none that does."""

    def reload(self) -> None:
        """Have systemd read the units anew. It can take the GPU from containers that run: only where one changed."""

    def make_users(self, name: str) -> None:
        """Make the users that a file of ``/etc/sysusers.d`` names, where they are missing."""

    def ids(self, user: str) -> tuple[int, int]:
        """Return the numbers of a user and of its group."""

    def last_lines(self, unit: str, lines: int = LINES) -> tuple[str, ...]:
        """Return what a service wrote last; nothing where that can't be read."""


class Systemctl:
    """systemd, of this machine or of the tree at ``root``, or ``of_user``: the user's own; ``runner`` runs its
    programs."""

    def __init__(self, root: Path = Path("/"), runner: Runner = run, *, of_user: bool = False) -> None:
        self._user = ("--user",) if of_user else ()
        self._root = root
        self._is_image = root.resolve() != Path("/")
        self._runner = runner

    def state(self, unit: str) -> ServiceState:
        """As of the protocol."""
        if self._is_image:
            return ServiceState()
        names = "ActiveState,SubState,Result,MainPID,NRestarts"
        text = self._systemctl(f"Of {unit} nothing can be told", "show", f"--property={names}", unit).out
        told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return ServiceState(
            active=told.get("ActiveState", "inactive"),
            sub=told.get("SubState", "dead"),
            result=told.get("Result", "success"),
            pid=_number(told.get("MainPID", "")),
            restarts=_number(told.get("NRestarts", "")),
        )

    def start(self, unit: str, seconds: float = START_S) -> None:
        """As of the protocol."""
        self._change("start", unit, seconds, "did not start")

    def stop(self, unit: str, seconds: float = STOP_S) -> None:
        """As of the protocol."""
        if not self._is_image and self.state(unit) != ServiceState():  # where there is none, systemctl fails
            self._change("stop", unit, seconds, "did not stop")

    def restart(self, unit: str, seconds: float = START_S) -> None:
        """As of the protocol."""
        self._change("restart", unit, seconds, "did not start")

    def reset_failed(self, unit: str) -> None:
        """As of the protocol."""
        if not self._is_image:
            failed = f"The failures of {unit} can't be forgotten"
            self._systemctl(failed, "reset-failed", unit, fine="not loaded")  # it never ran, and has none

    def enable(self, unit: str) -> None:
        """As of the protocol."""
        self._systemctl(f"{unit} can't be enabled", "--no-reload", "enable", unit)

    def disable(self, unit: str) -> None:
        """As of the protocol."""
        self._systemctl(f"{unit} can't be disabled", "--no-reload", "disable", unit, fine="does not exist")

    def reload(self) -> None:
        """As of the protocol."""
        if not self._is_image:
            self._ask("systemd did not read the units", ("systemctl", *self._user, "daemon-reload"), RELOAD_S)

    def make_users(self, name: str) -> None:
        """As of the protocol."""
        self._ask(f"The users of {name} can't be made", ("systemd-sysusers", f"--root={self._root}", name), CALL_S)

    def ids(self, user: str) -> tuple[int, int]:
        """As of the protocol; in an image, by its own list."""
        try:
            if not self._is_image:
                entry = pwd.getpwnam(user)
                return entry.pw_uid, entry.pw_gid
            rows = (line.split(":") for line in (self._root / "etc/passwd").read_text(encoding="utf-8").splitlines())
            return next((int(row[2]), int(row[3])) for row in rows if row[0] == user)
        except (OSError, ValueError, LookupError, StopIteration):
            raise EdgeKitError(f"There is no user {user} in {self._root}", "systemd-sysusers makes it.") from None

    def last_lines(self, unit: str, lines: int = LINES) -> tuple[str, ...]:
        """As of the protocol."""
        if self._is_image:
            return ()
        # By this field alone the service's own lines, and not what systemd says of it.
        field = "_SYSTEMD_USER_UNIT" if self._user else "_SYSTEMD_UNIT"
        shown = ("--no-pager", "--quiet", "--output=cat", f"--lines={lines}", f"{field}={unit}")
        command = ("journalctl", *self._user, *shown)
        return tuple(line for line in self._run(command, CALL_S).out.splitlines() if line.strip())

    def _change(self, verb: str, unit: str, seconds: float, failed: str) -> None:
        if self._is_image:
            raise EdgeKitError(f"{self._root} is no running system: nothing can {verb} there", "Boot it first.")
        reply = self._run(("systemctl", *self._user, "--no-ask-password", verb, unit), seconds)
        if reply.code == 0:
            return
        why = f"systemctl {reply.why}"
        if reply.code is not None:
            result = self.state(unit).result
            why = _first_line(reply.err) if result == "success" else result
        said = gist(" / ".join(self.last_lines(unit)))
        raise EdgeKitError(
            f"{unit} {failed} ({why}){': ' if said else ''}{said}",
            f"journalctl --{'user-' if self._user else ''}unit={unit} shows more.",
        )

    def _systemctl(self, failed: str, *arguments: str, fine: str = "") -> Reply:
        root = (f"--root={self._root}",) if self._is_image else ()
        return self._ask(failed, ("systemctl", *self._user, *root, *arguments), CALL_S, fine=fine)

    def _ask(self, failed: str, command: tuple[str, ...], seconds: float, *, fine: str = "") -> Reply:
        reply = self._run(command, seconds)
        if reply.code != 0 and not (fine and fine in reply.err):
            why = f"{command[0]} {reply.why}" if reply.why else _first_line(reply.err)
            raise EdgeKitError(f"{failed}: {why}", "EdgeKit's service needs systemd, and root.")
        return reply

    def _run(self, command: tuple[str, ...], seconds: float) -> Reply:
        plain = {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "SYSTEMD_LOG_LEVEL": "info"}
        return self._runner(command, seconds, os.environ | plain)


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return gist(lines[0].rstrip(".")) if lines else "it gave no reason"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
