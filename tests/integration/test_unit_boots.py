"""The service's unit under a real systemd, with a stand-in for its release: started, watched, limited, switched, gone
back from.

Debian 12 is booted in each run of the system tier; 11 and 13, whose systemd is older and newer than those of the
devices, in the long one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.unit import Settings, sysusers_text, unit_files
from edgekit.target import target
from edgekit.units import MIB
from tests.nspawn import stand_in_service
from tests.nspawn.machine import Machine, booted
from tests.nspawn.trees import RELEASES, require_root, tree

pytestmark = pytest.mark.timeout(1800)

UNIT = "edgekit.service"
PREFIX = "/data/edgekit"
MANNERS = ("well", "slowly", "breaks", "damaged", "never")
TREES = [pytest.param(name, marks=pytest.mark.system if name == "bookworm" else pytest.mark.long) for name in RELEASES]
# Half of it is the service's: enough for Python, and soon taken.
MACHINE = Settings(memory_bytes=256 * MIB)
WITH_KEY = replace(
    MACHINE,
    certificate=PurePosixPath("/etc/credstore/hospital.pem"),
    certificate_key=PurePosixPath("/etc/credstore/hospital.key"),
)


class Service:
    """The stand-in's service in a booted machine, at its beginning: stopped, with the first release current."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def reset(self) -> None:
        self.machine.run("sh", "-c", f"rm -rf /run/systemd/system/{UNIT}.d {PREFIX}/state/went-back")
        self.write_units(MACHINE)
        stop = f"systemctl stop edgekit-rollback.service {UNIT}; systemctl reset-failed; rm -rf /var/lib/edgekit"
        self.machine.run("sh", "-c", stop)
        self.switch("well", rescue="well")
        self.began = self.machine.cursor()

    def journal(self) -> str:
        """What was said since."""
        return self.machine.journal(self.began)

    def write_units(self, settings: Settings, *lines: str) -> None:
        """Write the units, and a drop-in for what a test can't wait for."""
        for path, text in unit_files(_layout(self.machine), target("cpu"), (), settings).items():
            self.machine.write(path, text)
        if lines:
            self.machine.write(f"/run/systemd/system/{UNIT}.d/test.conf", "\n".join((*lines, "")))
        self.machine.run("systemctl", "daemon-reload")

    def switch(self, name: str, rescue: str = "") -> None:
        self.machine.run("ln", "-sfn", f"releases/{name}", f"{PREFIX}/current")
        if rescue:
            self.machine.run("ln", "-sfn", f"../releases/{rescue}", f"{PREFIX}/state/rescue")

    def start(self, *, check: bool = True) -> bool:
        return self.machine.run("systemctl", "start", UNIT, check=check).returncode == 0

    def stop(self) -> None:
        self.machine.run("systemctl", "stop", UNIT)

    def order(self, *words: str) -> None:
        beside, order = (self.machine.at(f"/var/lib/edgekit/{name}") for name in ("order.new", "order"))
        beside.write_text(json.dumps(words), encoding="utf-8")
        os.replace(beside, order)

    def ask(self, *words: str) -> Any:
        """Give an order, and return what came of it."""
        answer = self.machine.at("/var/lib/edgekit/answer")
        answer.unlink(missing_ok=True)
        self.order(*words)
        self.machine.wait(f"an answer to {words}", answer.exists)
        return json.loads(answer.read_text(encoding="utf-8"))

    def runs_again(self, after: int) -> bool:
        return self.machine.show(UNIT, "ActiveState") == "active" and self.machine.pid(UNIT) not in (0, after)


@pytest.fixture(scope="module", params=TREES)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    require_root()
    with booted(tree(request.param)) as running:
        code = Path(stand_in_service.__file__).read_text(encoding="utf-8")
        for name in MANNERS:
            site = f"{PREFIX}/releases/{name}/site/edgekit"
            running.write(f"{site}/__main__.py", code)
            running.write(f"{site}/__init__.py", "")
            running.write(f"{site}/release.py", f"NAME = {name!r}\n")
            running.write(f"{PREFIX}/releases/{name}/bundle/manner", name)
        running.at(f"{PREFIX}/state").mkdir()
        running.write("/etc/sysusers.d/edgekit.conf", sysusers_text())
        running.run("systemd-sysusers", "edgekit.conf")
        running.run("install", "-d", "-o", "edgekit", "-g", "edgekit", "-m", "0750", "/etc/edgekit")
        yield running


@pytest.fixture
def service(machine: Machine) -> Service:
    fresh = Service(machine)
    fresh.reset()
    return fresh


def test_a_start_waits_until_the_service_is_ready(service: Service) -> None:
    service.switch("slowly")
    service.start()
    machine = service.machine
    assert machine.show(UNIT, "ActiveState") == "active"
    began, ready = (
        int(machine.show(UNIT, f"{name}Monotonic")) for name in ("ExecMainStartTimestamp", "ActiveEnterTimestamp")
    )
    assert ready - began > 2e6
    told = service.ask("tell")
    assert told["release"] == "slowly"
    assert told["argv"] == ["serve", "/mnt/release/bundle", "--host", "127.0.0.1", "--port", "8080"]


def test_the_sites_file_says_where_it_answers(service: Service) -> None:
    service.machine.write("/etc/default/edgekit", "EDGEKIT_HOST=0.0.0.0\nEDGEKIT_PORT=8443\n")
    service.start()
    assert service.ask("tell")["argv"][2:] == ["--host", "0.0.0.0", "--port", "8443"]
    service.machine.at("/etc/default/edgekit").unlink()


def test_what_kills_it_is_mended_by_a_new_start(service: Service) -> None:
    service.start()
    before = service.machine.pid(UNIT)
    service.machine.run("sh", "-c", f"kill -9 {before}")
    service.machine.wait("it runs again", lambda: service.runs_again(before))
    assert service.machine.show(UNIT, "NRestarts") == "1"


def test_a_service_that_hangs_is_started_again(service: Service) -> None:
    service.write_units(MACHINE, "[Service]", "WatchdogSec=5")
    service.start()
    before = service.machine.pid(UNIT)
    service.order("hang")
    service.machine.wait("it runs again", lambda: service.runs_again(before))
    assert "atchdog timeout" in service.journal()


def test_a_service_that_takes_too_much_memory_is_ended(service: Service) -> None:
    if not service.machine.limits_memory():
        pytest.skip("here, nobody below this process may limit memory")
    assert int(service.machine.show(UNIT, "MemoryMax")) == MACHINE.host_bytes(target("cpu"))
    service.start()
    before = service.machine.pid(UNIT)
    service.order("take", str(512 * MIB))
    service.machine.wait("it runs again", lambda: service.runs_again(before))
    assert service.ask("take", str(MIB)) == "done"


def test_it_writes_where_it_may_and_nowhere_else(service: Service) -> None:
    service.start()
    told = service.ask("tell")
    assert told["uid"] == int(service.machine.run("id", "-u", "edgekit").stdout)
    assert "null" in told["devices"]
    assert "kmsg" not in told["devices"]
    for path in ("/usr/x", "/etc/x", "/root/x", "/home/x", "/mnt/x", "/mnt/release/bundle/x", f"{PREFIX}/x", "/var/x"):
        assert "refused" in service.ask("write", path), path
    for path in ("/var/lib/edgekit/x", "/etc/edgekit/x", "/tmp/x"):
        assert service.ask("write", path) == "done", path
    assert not service.machine.at("/tmp/x").exists(), "its temporary files are its own"
    assert service.machine.at("/var/lib/edgekit").stat().st_mode & 0o777 == 0o700
    assert service.machine.at("/var/lib/edgekit/x").stat().st_mode & 0o077 == 0


def test_a_switch_beneath_it_mixes_no_releases(service: Service) -> None:
    service.start()
    service.switch("slowly")
    told = service.ask("tell")
    assert told["release"] == "well", "what it imports only now is its own release's"
    service.machine.run("systemctl", "restart", UNIT)
    assert service.ask("tell")["release"] == "slowly"
    assert service.machine.show(UNIT, "NeedDaemonReload") == "no"


@pytest.mark.parametrize("manner", ["breaks", "never"])
def test_a_release_that_fails_again_and_again_is_gone_back_from(service: Service, manner: str) -> None:
    if manner == "never":  # one start, since it takes its time
        service.write_units(MACHINE, "[Unit]", "StartLimitBurst=1", "[Service]", "TimeoutStartSec=20")
    service.switch(manner, rescue="well")
    assert service.start(check=False) == (manner == "breaks"), "READY was said before it failed"
    _require_back(service)
    assert service.journal().count("Start request repeated too quickly") == 1


def test_a_damaged_bundle_is_not_tried_twice(service: Service) -> None:
    service.switch("damaged", rescue="well")
    service.start(check=False)
    _require_back(service)
    assert "Scheduled restart job" not in service.journal()


def _layout(machine: Machine) -> Layout:
    return Layout(machine.at("/"), PurePosixPath(PREFIX))


def _require_back(service: Service) -> None:
    machine = service.machine
    # In the end, since "active" is said too while a release fails that says READY first.
    machine.wait("the other release runs", lambda: bool(machine.read(f"{PREFIX}/state/went-back")))
    machine.wait("it is ready", lambda: service.runs_again(0))
    assert machine.read(f"{PREFIX}/state/went-back") == "well", "whose code went back"
    assert service.ask("tell")["release"] == "well"


def test_a_stop_lets_the_service_end_its_children_itself(service: Service) -> None:
    service.start()
    assert service.ask("tell")
    service.stop()
    assert service.machine.at("/var/lib/edgekit/stopped").exists()
    assert not service.machine.at("/var/lib/edgekit/child-was-told").exists()
    assert service.machine.show(UNIT, "Result") == "success"
    assert service.machine.run("pgrep", "-u", "edgekit", check=False).stdout == "", "nothing is left of it"


def test_a_key_that_is_roots_alone_is_handed_over(service: Service) -> None:
    for name in ("hospital.pem", "hospital.key"):
        service.machine.write(f"/etc/credstore/{name}", f"the text of {name}")
        service.machine.at(f"/etc/credstore/{name}").chmod(0o600)
    service.write_units(WITH_KEY)
    service.start()
    *_, cert, certificate, _, key = service.ask("tell")["argv"]
    assert cert == "--cert"
    assert service.ask("read", certificate) == "the text of hospital.pem"
    assert service.ask("read", key) == "the text of hospital.key"
    assert "refused" in service.ask("read", "/etc/credstore/hospital.key")


@pytest.mark.parametrize("name", ["cpu", "rtx3050", "orin"])
def test_its_systemd_knows_every_setting(machine: Machine, name: str) -> None:
    nodes = ("/dev/null", "/dev/zero") if target(name).kind.on_gpu else ()
    paths = []
    for path, text in unit_files(_layout(machine), target(name), nodes, MACHINE).items():
        paths.append(path.replace("/etc/systemd/system", f"/run/units-{name}"))
        machine.write(paths[-1], text)
    said = machine.run("systemd-analyze", "verify", *paths)
    assert said.stderr == said.stdout == ""
