"""systemctl as it is asked, and what comes of its answers; the stand-in for it keeps the same promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from edgekit.deploy.systemd import CALL_S, RELOAD_S, START_S, STOP_S, Services, ServiceState, Systemctl
from edgekit.errors import EdgeKitError
from edgekit.machine.programs import MISSING, Reply
from tests.services import StandInServices

UNIT = "edgekit.service"
RUNNING = "ActiveState=active\nSubState=running\nResult=success\nMainPID=4711\nNRestarts=2\n"
LOOP = "ActiveState=failed\nSubState=failed\nResult=start-limit-hit\nMainPID=0\nNRestarts=3\n"
NO_JOB = 'Job for edgekit.service failed because the control process exited with error code.\nSee "systemctl status".\n'


class Programs:
    """Programs that answer as they are told to, by the words that their command begins with."""

    def __init__(self, **answers: Reply) -> None:
        self.answers = answers
        self.asked: list[tuple[tuple[str, ...], float]] = []

    def __call__(self, command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        assert variables["LC_ALL"] == "C.UTF-8", "its words are looked for"
        self.asked.append((command, seconds))
        words = {word.replace("-", "_") for word in command}
        return next((reply for name, reply in self.answers.items() if name in words), Reply(0))

    @property
    def commands(self) -> list[str]:
        return [" ".join(command) for command, _ in self.asked]


def test_how_a_service_fares() -> None:
    state = Systemctl(runner=Programs(show=Reply(0, RUNNING))).state(UNIT)
    assert state == ServiceState("active", "running", "success", 4711, 2)
    assert state.runs
    assert state.ready
    failed = Systemctl(runner=Programs(show=Reply(0, LOOP))).state(UNIT)
    assert not failed.runs
    assert Systemctl(runner=Programs(show=Reply(0, "MainPID=[not set]\n"))).state(UNIT) == ServiceState()
    waits = ServiceState("activating", "auto-restart")
    assert waits.runs
    assert not waits.ready


def test_each_question_has_its_limit_of_time() -> None:
    programs = Programs(show=Reply(0, RUNNING))
    services = Systemctl(runner=programs)
    services.start(UNIT)
    services.restart(UNIT, 7)
    services.stop(UNIT)
    services.reset_failed(UNIT)
    services.enable(UNIT)
    services.disable(UNIT)
    services.reload()
    services.make_users("edgekit.conf")
    limits = {command[1] if command[0] != "systemctl" else command[-2]: seconds for command, seconds in programs.asked}
    assert limits["start"] == START_S
    assert limits["restart"] == 7
    assert limits["stop"] == STOP_S
    assert {limits[verb] for verb in ("reset-failed", "enable", "disable", "--root=/")} == {CALL_S}
    assert (("systemctl", "daemon-reload"), RELOAD_S) in programs.asked


def test_a_failed_start_is_told_by_the_services_own_words() -> None:
    said = "Loading the model\n\nThe bundle is damaged\n"
    programs = Programs(start=Reply(1, "", NO_JOB), show=Reply(0, LOOP), journalctl=Reply(0, said))
    with pytest.raises(EdgeKitError) as caught:
        Systemctl(runner=programs).start(UNIT)
    told = "edgekit.service did not start (start-limit-hit): Loading the model / The bundle is damaged"
    assert caught.value.message == told
    assert caught.value.hint == "journalctl --unit=edgekit.service shows more."
    assert programs.commands[-1].endswith("--lines=3 _SYSTEMD_UNIT=edgekit.service")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(5, "", "Failed to start edgekit.service: Unit edgekit.service not found.\n"), "not found"),
        (Reply(None, why=MISSING), "systemctl is not installed"),
        (Reply(None, why="gave no answer within 660 s"), "systemctl gave no answer within 660 s"),
    ],
)
def test_a_start_that_systemd_refuses(reply: Reply, why: str) -> None:
    with pytest.raises(EdgeKitError, match=why):
        Systemctl(runner=Programs(start=reply, journalctl=Reply(None, why=MISSING))).start(UNIT)


def test_what_systemd_does_not_do_is_said_in_a_sentence() -> None:
    booted = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect\n"
    services = Systemctl(runner=Programs(daemon_reload=Reply(1, "", booted), systemd_sysusers=Reply(1)))
    with pytest.raises(EdgeKitError, match=r"^systemd did not read the units: System has not been booted .* operate\n"):
        services.reload()
    with pytest.raises(EdgeKitError, match=r"The users of edgekit.conf can't be made: it gave no reason"):
        services.make_users("edgekit.conf")


def test_what_is_not_there_has_not_to_be_removed() -> None:
    gone = Reply(1, "", "Failed to disable unit: Unit file edgekit.service does not exist.\n")
    unloaded = Reply(1, "", "Failed to reset failed state of unit edgekit.service: Unit edgekit.service not loaded.\n")
    programs = Programs(disable=gone, reset_failed=unloaded)
    services = Systemctl(runner=programs)
    services.disable(UNIT)
    services.reset_failed(UNIT)
    services.stop(UNIT)
    assert not [command for command in programs.commands if " stop " in command]
    with pytest.raises(EdgeKitError, match="can't be enabled"):
        Systemctl(runner=Programs(enable=gone)).enable(UNIT)


def test_in_an_image_nothing_runs(tmp_path: Path) -> None:
    programs = Programs()
    services = Systemctl(tmp_path, programs)
    services.enable(UNIT)
    services.make_users("edgekit.conf")
    services.stop(UNIT)
    services.reset_failed(UNIT)
    services.reload()
    assert services.state(UNIT) == ServiceState()
    assert services.last_lines(UNIT) == ()
    root = f"--root={tmp_path}"
    assert programs.commands == [f"systemctl {root} --no-reload enable {UNIT}", f"systemd-sysusers {root} edgekit.conf"]
    for start in (services.start, services.restart):
        with pytest.raises(EdgeKitError, match="is no running system"):
            start(UNIT)


def test_a_user_has_its_numbers_here_and_in_an_image(tmp_path: Path) -> None:
    assert Systemctl().ids("root") == (0, 0)
    image = Systemctl(tmp_path)
    for text in (None, "root:x:0:0::/:/bin/sh\nedgekit:x:no:number\n", "\n"):
        if text is not None:
            (tmp_path / "etc").mkdir(exist_ok=True)
            (tmp_path / "etc/passwd").write_text(text)
        with pytest.raises(EdgeKitError, match=f"There is no user edgekit in {tmp_path}"):
            image.ids("edgekit")
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nedgekit:!*:998:997:EdgeKit:/var/lib/edgekit:\n")
    assert image.ids("edgekit") == (998, 997)


def test_the_stand_in_keeps_the_same_promises() -> None:
    def fail(unit: str) -> None:
        raise EdgeKitError(f"{unit} did not start")

    stand_in = StandInServices()
    services: Services = stand_in
    services.enable(UNIT)
    services.start(UNIT)
    assert services.state(UNIT).ready
    services.stop(UNIT)
    assert not services.state(UNIT).runs
    stand_in.starts = fail
    with pytest.raises(EdgeKitError, match="did not start"):
        services.restart(UNIT)
    assert services.state(UNIT).active == "failed"
    services.reset_failed(UNIT)
    assert services.state(UNIT).active == "inactive"
    assert stand_in.asked == [f"{verb} {UNIT}" for verb in ("enable", "start", "stop", "restart", "reset-failed")]
    assert stand_in.enabled == {UNIT}


def test_a_users_systemd_is_asked_as_such() -> None:
    asked: list[tuple[str, ...]] = []

    def runner(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        asked.append(command)
        return Reply(0, "ActiveState=active\n")

    services = Systemctl(runner=runner, of_user=True)
    services.state("edgekit.service")
    services.start("edgekit.service")
    services.stop("edgekit.service")
    services.restart("edgekit.service")
    services.reset_failed("edgekit.service")
    services.enable("edgekit.service")
    services.disable("edgekit.service")
    services.reload()
    services.last_lines("edgekit.service")
    assert all(command[1] == "--user" for command in asked)
    assert asked[-1][-1] == "_SYSTEMD_USER_UNIT=edgekit.service"
