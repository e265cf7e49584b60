"""A whole installation in a booted Debian, as a field engineer does it: from `edgekit install` to `edgekit uninstall`,
with upgrades that fail between.

The tests tell one story, in their order: each begins where the one before has left the machine. What fails as a service
is a stand-in's code with the embedded model's bundle; all else is what ships.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle, open_bundle, sealing
from edgekit.check.golden import read_golden, write_record
from tests.embedded_bundles import EmbeddedBundles
from tests.nspawn.engineer import PYTHONS, Engineer, carried_wheels, installed_code
from tests.nspawn.failing import TIMES, write_failing
from tests.nspawn.machine import booted
from tests.nspawn.trees import require_root, tree
from tests.served import question
from tests.unit.serve.tls.test_given import Given

pytestmark = pytest.mark.timeout(1800)

UNIT = "edgekit.service"
TRIAL = "/opt/edgekit/state/trial"
DROP_IN = f"/run/systemd/system/{UNIT}.d/test.conf"
CHECK_DROP_IN = "/run/systemd/system/edgekit-check.service.d/test.conf"
TREES = [pytest.param(name, marks=pytest.mark.system if name == "bookworm" else pytest.mark.long) for name in PYTHONS]
INSTALL_S, DOWN_S, BACK_S = 900, 60, 100
"""Many times what is asked of a quiet device: a minute to the trial, three seconds without answers, ten until the
release before serves again. What is measured is noted; here it is only held that nothing waits for somebody."""
Note = Callable[[str, object], None]


@pytest.fixture(scope="module", params=TREES)
def debian(request: pytest.FixtureRequest) -> str:
    require_root()
    return str(request.param)


@pytest.fixture(scope="module")
def engineer(debian: str, embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engineer]:
    folder = tmp_path_factory.mktemp("brought")
    small = embedded_as("q4")
    with booted(tree(debian)) as machine:
        someone = Engineer(machine)
        if sys.version_info[:2] == PYTHONS[debian] and platform.libc_ver()[0] == "glibc":
            someone.settle(installed_code(folder / "installed"))
        else:
            someone.settle_from(carried_wheels(folder / "wheels", PYTHONS[debian]))
        someone.bring(small.path, "q4")
        someone.bring(embedded_as("q8").path, "q8")
        someone.bring(with_other_answers(small, folder / "other").path, "other")
        for manner in ("starting", "ready", "never", "well"):
            someone.bring(write_failing(folder / manner, manner), manner)
        yield someone


def with_other_answers(bundle: Bundle, out: Path) -> Bundle:
    """A bundle whose golden answers are those of a model that thinks the opposite."""
    golden, _ = read_golden(bundle)
    sequences = [
        replace(one, positions=tuple(replace(place, logits=place.logits[::-1]) for place in one.positions))
        for one in golden.sequences
    ]
    with sealing(out, bundle.manifest) as folder:
        for name in bundle.manifest.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(bundle.path / name, folder / name)
        write_record(folder, replace(golden, sequences=tuple(sequences)))
    return open_bundle(out)


@pytest.fixture
def note(record_property: Note, capsys: pytest.CaptureFixture[str]) -> Note:
    """Notes a figure where whoever runs this sees it."""

    def noted(name: str, value: object) -> None:
        record_property(name, value)
        with capsys.disabled():
            print(f"\n{name}: {value}")

    return noted


def status(engineer: Engineer) -> dict[str, Any]:
    """How it stands, once it answers: a release that has just come back may still be on its way to that."""
    engineer.machine.wait("it answers", lambda: bool(engineer.told("status", code=None)["healthy"]))
    return engineer.told("status")


def require_answer(engineer: Engineer) -> None:
    code, body = engineer.ask("/v1/chat/completions", question("What do you see?", max_tokens=4))
    assert code == 200, body + engineer.machine.journal()
    assert json.loads(body)["choices"][0]["message"]["content"]


def require_untouched(engineer: Engineer, before: dict[str, Any], pid: int) -> None:
    assert engineer.machine.pid(UNIT) == pid, "the process that ran goes on"
    after = status(engineer)
    assert {**after, "rolled_back": None} == {**before, "rolled_back": None}
    require_answer(engineer)


def test_a_bundle_becomes_a_service_on_trial_and_is_committed(engineer: Engineer, note: Note) -> None:
    began = time.monotonic()
    installed = engineer.told("install", "/root/q4")
    note("seconds to the trial", took := round(time.monotonic() - began, 1))
    assert took < INSTALL_S
    assert (installed["state"], installed["changed"]) == ("trial", True)
    require_answer(engineer)
    stands = status(engineer)
    assert (stands["release"], stands["state"], stands["service"]) == (installed["release"], "trial", "active")
    assert stands["measured"]["static_bytes"] > 0
    assert "Going on without" not in engineer.machine.journal(), "what root compiled is believed"
    engineer.run("commit")
    assert status(engineer)["state"] == "committed"
    for name, state in (("edgekit.service", "enabled"), ("edgekit-boot.service", "enabled")):
        assert engineer.machine.run("systemctl", "is-enabled", name).stdout.strip() == state


def test_a_hospital_s_certificate_is_taken_from_root_s_folder(engineer: Engineer, tmp_path: Path) -> None:
    """The same bundle again writes it into the unit and out of it; the service can't read the files themselves."""
    machine, before = engineer.machine, status(engineer)["release"]
    names = ("/etc/credstore/edgekit.tls.crt", "/etc/credstore/edgekit.tls.key")
    given = Given(tmp_path)
    for name, file in zip(names, (given.certificate, given.key), strict=True):
        machine.write(name, file.read_text())
        machine.run("chmod", "600", name)
    assert engineer.told("install", "/root/q4")["changed"]
    assert status(engineer)["release"] == before
    script = "import ssl; print(ssl.get_server_certificate(('127.0.0.1', 8080)))"
    shown = machine.run("python3", "-c", script).stdout
    assert shown.strip() == machine.at(names[0]).read_text().strip()
    machine.run("rm", *names)
    assert engineer.told("install", "/root/q4")["changed"]
    require_answer(engineer)


def check_nightly(engineer: Engineer) -> dict[str, Any]:
    """Have systemd do the nightly check, as its timer does, and return what came of it."""
    engineer.machine.run("systemctl", "start", "edgekit-check.service", check=False)
    return dict(status(engineer)["nightly"])


def test_the_nightly_check_looks_at_what_runs(engineer: Engineer, note: Note) -> None:
    machine = engineer.machine
    for asked, answer in (("is-enabled", "enabled"), ("is-active", "active")):
        assert machine.run("systemctl", asked, "edgekit-check.timer").stdout.strip() == answer
    pid, began = machine.pid(UNIT), time.monotonic()
    told = check_nightly(engineer)
    note("seconds that the nightly check takes", round(time.monotonic() - began, 1))
    assert (told["files"]["outcome"], told["answers"]["outcome"]) == ("passed", "passed"), told
    assert (told["manner"], machine.pid(UNIT)) == ("beside", pid)
    figures = engineer.ask("/metrics")[1]
    assert 'edgekit_nightly_check{outcome="passed",part="answers"} 1.0' in figures


def test_without_room_the_service_is_stopped_for_the_check_where_that_is_allowed(
    engineer: Engineer, note: Note
) -> None:
    """What is replaced under it comes last: then it is not stopped, since it may not start again."""
    machine = engineer.machine
    if not machine.limits_memory():
        pytest.skip("this machine's manager can't limit memory")
    listens = machine.read("/etc/default/edgekit")
    machine.write("/etc/default/edgekit", f"{listens}EDGEKIT_CHECK_STOPS=0-24\n")
    machine.write(CHECK_DROP_IN, "[Service]\nMemoryMax=600M\n")
    machine.run("systemctl", "daemon-reload")
    told = check_nightly(engineer)
    assert (told["manner"], told["answers"]["outcome"]) == ("stopped", "passed"), f"{told}{machine.journal()}"
    note("seconds without answers, for the nightly check", told["downtime_s"])
    require_answer(engineer)
    pid = machine.pid(UNIT)
    (library,) = {line.split()[-1] for line in machine.read(f"/proc/{pid}/maps").splitlines() if "libexpat.so" in line}
    machine.run("sh", "-c", 'cp -p "$1" "$1.new" && mv "$1.new" "$1"', "sh", library)
    told = check_nightly(engineer)
    assert (told["files"]["outcome"], told["answers"]["outcome"]) == ("failed", "not done")
    assert Path(library).name in told["files"]["findings"][0]["what"]
    assert machine.pid(UNIT) == pid, "it is left alone"
    assert Path(library).name in engineer.run("status", code=None)
    machine.at(CHECK_DROP_IN).unlink()
    machine.run("systemctl", "daemon-reload")


def test_other_golden_answers_are_refused(engineer: Engineer) -> None:
    before, pid = status(engineer), engineer.machine.pid(UNIT)
    engineer.run("install", "/root/other", code=3)
    require_untouched(engineer, before, pid)


def test_what_is_over_budget_is_refused(engineer: Engineer) -> None:
    budget = "/etc/edgekit/budgets/cpu.toml"
    engineer.machine.write(budget, "tokens_per_s = 1000000\n")
    before, pid = status(engineer), engineer.machine.pid(UNIT)
    assert "1000000" in engineer.run("install", "/root/q8", code=3).replace(",", "").replace(" ", "")
    require_untouched(engineer, before, pid)
    engineer.machine.at(budget).unlink()


def try_failing(engineer: Engineer, manner: str, note: Note, *, code: int | None, since: int = 0) -> None:
    """Upgrade to code that fails, until the release before is back; ``since`` which of its failures that is timed."""
    before = status(engineer)
    engineer.machine.at(TIMES).unlink(missing_ok=True)
    engineer.run("install", "/root/q4", "--wheels", f"/root/{manner}", code=code)

    def is_back() -> bool:
        current = engineer.machine.run("readlink", "/opt/edgekit/current").stdout.strip()
        active = engineer.machine.show(UNIT, "ActiveState") == "active"
        is_over = active and current.endswith(str(before["release"])) and not engineer.machine.at(TRIAL).exists()
        return is_over and not engineer.told("status", code=None)["interrupted"]

    engineer.machine.wait(f"the release before is back from the one that fails {manner}", is_back)
    ready_s = int(engineer.machine.show(UNIT, "ActiveEnterTimestampMonotonic")) / 1e6
    took = round(ready_s - float(engineer.machine.read(TIMES).split()[since]), 1)
    note(f"seconds until the old release served again, failing {manner}", took)
    assert 0 < took < BACK_S
    after = status(engineer)
    assert (after["release"], after["state"], after["interrupted"]) == (before["release"], "committed", "")
    assert after["rolled_back"]["bad"]
    assert after["rolled_back"]["release"] in after["bad"]
    require_answer(engineer)


def test_a_release_that_ends_at_its_start_gives_way(engineer: Engineer, note: Note) -> None:
    try_failing(engineer, "starting", note, code=1)
    assert "failed on this machine before" in engineer.run("install", "/root/q4", "--wheels", "/root/starting", code=3)


def test_a_release_that_ends_once_it_is_ready_gives_way(engineer: Engineer, note: Note) -> None:
    try_failing(engineer, "ready", note, code=None)


def test_a_release_that_never_gets_ready_gives_way(engineer: Engineer, note: Note) -> None:
    """One start, which may take ten minutes, is made shorter here."""
    engineer.machine.write(DROP_IN, "[Unit]\nStartLimitBurst=1\n[Service]\nTimeoutStartSec=60\n")
    engineer.machine.run("systemctl", "daemon-reload")
    try_failing(engineer, "never", note, code=1, since=-1)
    engineer.machine.at(DROP_IN).unlink()
    engineer.machine.run("systemctl", "daemon-reload")


def test_a_machine_that_is_started_anew_in_a_trial_goes_back(engineer: Engineer, note: Note) -> None:
    before = status(engineer)
    tried = engineer.told("install", "/root/q4", "--wheels", "/root/well")
    assert tried["state"] == "trial"
    assert engineer.machine.at(TRIAL).exists()
    began = time.monotonic()
    engineer.reboot()
    after = status(engineer)
    note("seconds from a cut to an answer, with the boot", round(time.monotonic() - began, 1))
    assert (after["release"], after["state"]) == (before["release"], "committed")
    assert after["rolled_back"]["release"] == tried["release"]
    assert "started anew" in after["rolled_back"]["reason"]
    assert tried["release"] not in after["bad"], "it may be innocent"
    require_answer(engineer)


def test_an_upgrade_and_the_way_back_leave_nobody_waiting_long(engineer: Engineer, note: Note) -> None:
    before = status(engineer)
    new = engineer.told("install", "/root/q8")
    note("seconds without answers, at an upgrade", new["downtime_s"])
    assert 0 < new["downtime_s"] < DOWN_S
    assert (new["state"], new["release"] != before["release"]) == ("trial", True)
    require_answer(engineer)
    engineer.run("commit")
    assert status(engineer)["previous"] == before["release"]
    back = engineer.told("rollback")
    note("seconds without answers, at a rollback", back["downtime_s"])
    assert 0 < back["downtime_s"] < DOWN_S
    assert back["release"] == before["release"]
    assert status(engineer)["state"] == "committed"
    require_answer(engineer)


def test_an_uninstall_keeps_the_data(engineer: Engineer) -> None:
    engineer.machine.write("/var/lib/edgekit/kept", "by the service")
    gone = engineer.told("uninstall")
    assert "/var/lib/edgekit" in gone["kept"]
    assert engineer.machine.read("/var/lib/edgekit/kept") == "by the service"
    assert not engineer.machine.at("/opt/edgekit").exists()
    assert engineer.machine.run("systemctl", "list-unit-files", "edgekit*", check=False).stdout.count("edgekit") == 0
    assert engineer.told("status")["release"] == ""


@pytest.fixture(scope="module")
def doctor(engineer: Engineer) -> Engineer:
    """One who has no root, on the machine that the engineer has left."""
    return engineer.doctor()


def require_doctors_answer(doctor: Engineer, release: str) -> None:
    """The release answers as the doctor's own service, by all that he is told."""
    doctor.machine.wait("it answers", lambda: bool(doctor.told("status", "--user", code=None)["healthy"]))
    told = doctor.told("status", "--user")
    assert (told["release"], told["interrupted"]) == (release, "")
    require_answer(doctor)


def test_a_doctor_has_a_service_of_his_own_without_root(doctor: Engineer, note: Note) -> None:
    began = time.monotonic()
    installed = doctor.told("install", "/root/q4", "--user")
    note("seconds to a doctor's trial", round(time.monotonic() - began, 1))
    assert installed["state"] == "trial"
    assert installed["url"] == "http://127.0.0.1:8080/"
    require_doctors_answer(doctor, installed["release"])
    doctor.run("commit", "--user")
    assert doctor.told("status", "--user")["state"] == "committed"
    for folder in (".config/edgekit", ".local/state/edgekit"):
        assert doctor.machine.at(f"/home/doctor/{folder}").stat().st_uid == 1000
    entry = doctor.machine.read("/home/doctor/.local/share/applications/edgekit.desktop")
    assert "Exec=xdg-open http://127.0.0.1:8080/" in entry
    units = "/home/doctor/.config/systemd/user"
    names = [f"{units}/{path.name}" for path in doctor.machine.at(units).glob("edgekit*")]
    assert len(names) == 5
    done = doctor.machine.run(*doctor.becoming, "systemd-analyze", "--user", "verify", *names, check=False)
    assert "edgekit" not in done.stderr, done.stderr
    assert not doctor.machine.at("/opt/edgekit").exists(), "nothing is the machine's"


def test_a_doctors_upgrade_that_fails_goes_back_by_itself(doctor: Engineer) -> None:
    """By his systemd, which has nobody's help: the install may have ended well before it failed."""
    before = str(doctor.told("status", "--user")["release"])
    doctor.run("install", "/root/q4", "--wheels", "/root/ready", "--user", code=None)

    def is_back() -> bool:
        told = doctor.told("status", "--user", code=None)
        return (told["release"], told["state"], told["interrupted"]) == (before, "committed", "")

    doctor.machine.wait("the release before is back", is_back)
    require_doctors_answer(doctor, before)
    assert doctor.told("status", "--user")["rolled_back"]["bad"]


def test_a_doctor_removes_it_and_keeps_what_it_kept(doctor: Engineer) -> None:
    gone = doctor.told("uninstall", "--user")
    assert "/home/doctor/.local/state/edgekit" in gone["kept"]
    left = [path.name for path in doctor.machine.at("/home/doctor").rglob("edgekit*") if not path.is_dir()]
    assert left == ["edgekit.env"]
    assert not doctor.machine.at("/home/doctor/.local/share/edgekit").exists()
    assert doctor.told("status", "--user")["release"] == ""
