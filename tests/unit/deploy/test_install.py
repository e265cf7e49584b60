"""The order of an install's steps, and what is left of one that failed or was killed anywhere: what ran before runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.deploy.install import downtime_s, steps
from edgekit.deploy.rollback import roll_back
from edgekit.deploy.states import read_trial
from edgekit.deploy.systemd import Systemctl
from edgekit.deploy.trial import commit
from edgekit.errors import DiskFull, EdgeKitError, GateRefused, InputError
from edgekit.machine.programs import Reply
from tests.deploying import NEW, OLD, THIRD, Site, killed


def names(site: Site, running: str, **words: bool) -> list[str]:
    return [getattr(step, "phase", type(step).__name__) for step in steps(site.order(NEW, **words), running)]


def test_a_first_install_ends_on_trial(site: Site) -> None:
    site.install(OLD)
    assert site.services.running == site.layout.running() == OLD
    trial = read_trial(site.layout)
    assert trial is not None
    assert (trial.release, trial.previous) == (OLD, "")
    assert site.standing.state == "trial"
    assert (site.folder / "etc/default/edgekit").read_text() == "EDGEKIT_PORT=8080\n"
    enabled = [word for word in site.services.told if word.startswith("enable")]
    assert enabled == [
        f"enable edgekit{name}" for name in ("-boot.service", "-commit.timer", "-check.timer", ".service")
    ]
    assert downtime_s(site.journal.operations()[-1]) is None, "nothing ran before"


def test_an_upgrade_stops_the_old_release_last_of_all(site: Site) -> None:
    site.installed(OLD)
    (site.folder / "etc/default/edgekit").write_text("EDGEKIT_PORT=443\n")
    site.services.told.clear()
    site.examined.clear()
    site.install(NEW)
    assert site.services.running == NEW
    assert site.examined == [(phase, OLD) for phase in ("compile", "check", "profile")], "while the old one answers"
    assert "reload" not in site.services.told, "the units are the same for every release"
    assert (site.folder / "etc/default/edgekit").read_text() == "EDGEKIT_PORT=443\n"
    downtime = downtime_s(site.journal.operations()[-1])
    assert downtime is not None
    assert downtime < 60


def test_an_upgrade_has_systemd_read_nothing_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the commands themselves: enabling a unit has it read all of them, too, unless that is told not to."""
    asked: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        asked.append(command)
        return Reply(0, "ActiveState=active\n" if "show" in command else "")

    monkeypatch.setattr(Systemctl, "ids", lambda self, user: (os.getuid(), os.getgid()))
    site.hands = replace(site.hands, services=Systemctl(runner=run))
    site.installed(OLD)
    assert [command for command in asked if "daemon-reload" in command]
    asked.clear()
    site.install(NEW)
    assert not [command for command in asked if "daemon-reload" in command]
    changing = [command for command in asked if "enable" in command or "disable" in command]
    assert len(changing) == 4
    assert all("--no-reload" in command for command in changing)


def test_where_memory_has_room_for_one_the_old_release_is_stopped_before_the_new_one_is_tried(site: Site) -> None:
    assert names(site, OLD)[4:7] == ["compile", "check", "profile"]
    assert names(site, OLD, stops_first=True) == [
        *("Preflight", "Verify", "Stage", "KeepApart", "Configure", "Place", "HandOver", "BeginTrial", "Stop"),
        *("compile", "check", "profile", "Place", "Switch", "Start"),
    ]
    site.installed(OLD)
    site.examined.clear()
    site.refusing["profile"] = GateRefused("over budget")
    with pytest.raises(GateRefused, match="over budget"):
        site.install(NEW, stops_first=True)
    assert site.examined == [("compile", ""), ("check", ""), ("profile", "")]
    assert site.services.running == site.layout.running() == OLD
    assert downtime_s(site.journal.operations()[-1]) is not None, "it is reported, too, where the gate said no"


def test_into_an_image_nothing_is_started_tried_or_on_trial(site: Site) -> None:
    assert names(site, "", image=True) == [
        *("Verify", "Stage", "KeepApart", "Configure", "Place", "HandOver", "Place", "Switch", "Commit"),
    ]
    site.install(NEW, image=True)
    assert (site.standing.state, site.services.running) == ("committed", "")


@pytest.mark.parametrize("phase", ["preflight", "verify", "stage", "compile", "check", "profile"])
def test_a_gate_that_says_no_leaves_the_old_service_untouched(site: Site, phase: str) -> None:
    site.installed(OLD)
    before = len(site.services.told)
    site.refusing[phase] = DiskFull("No space is left") if phase == "stage" else GateRefused("over budget")
    with pytest.raises(EdgeKitError, match=r"over budget|No space"):
        site.install(NEW)
    assert site.services.told[before:] == []
    assert site.layout.identities() == (OLD,)
    assert list(site.layout.releases.glob(".*")) == []
    assert (site.standing.state, site.standing.bad) == ("committed", ())
    assert site.journal.operations()[-1].result == "undone"


def test_a_gate_that_is_forced_is_kept_in_the_journal_and_with_what_was_committed(site: Site) -> None:
    site.installed(OLD)
    site.refusing["profile"] = GateRefused("2 GiB over budget")
    site.install(NEW, forced=True)
    assert site.journal.operations()[-1].results[6] == {"forced": "2 GiB over budget"}
    commit(site.hands)
    assert site.standing.committed is not None
    assert site.standing.committed.forced == ("2 GiB over budget",)


def test_a_release_that_does_not_start_goes_back_and_is_remembered(site: Site) -> None:
    site.installed(OLD)
    site.broken.add(NEW)
    with pytest.raises(EdgeKitError, match="did not start"):
        site.install(NEW)
    assert site.services.running == site.layout.running() == OLD
    assert site.standing.trial is None
    assert NEW in site.standing.bad
    site.broken.clear()
    with pytest.raises(GateRefused, match="failed on this machine before") as refused:
        site.install(NEW)
    assert "--retry" in refused.value.hint
    with pytest.raises(GateRefused, match="failed on this machine before"):
        site.install(NEW, forced=True)
    site.refusing["check"] = GateRefused("the answers differ")
    with pytest.raises(GateRefused, match="the answers differ"):
        site.install(NEW, retried=True)
    assert NEW in site.standing.bad, "as long as it has not started"
    site.refusing.clear()
    site.install(NEW, retried=True)
    assert site.services.running == NEW
    assert NEW not in site.standing.bad


def test_a_first_install_that_does_not_start_leaves_nothing(site: Site) -> None:
    site.broken.add(NEW)
    with pytest.raises(EdgeKitError, match="did not start"):
        site.install(NEW)
    assert site.layout.running() is None
    assert site.layout.identities() == ()
    assert not [path for path in (site.folder / "etc").rglob("*") if path.is_file()]
    disabled = [word for word in site.services.told if word.startswith("disable")]
    assert disabled == ["disable edgekit.service", "disable edgekit-commit.timer"]


def test_another_release_is_refused_while_one_is_on_trial(site: Site) -> None:
    site.installed(OLD).install(NEW)
    with pytest.raises(InputError, match="on trial"):
        site.install(THIRD)
    commit(site.hands)
    site.install(THIRD)
    assert site.services.running == THIRD


def test_the_release_that_runs_is_not_installed_again(site: Site) -> None:
    site.installed(OLD)
    count = len(site.journal.operations())
    site.install(OLD)
    assert len(site.journal.operations()) == count


# Two words of progress a step: before it is done, and after.
POINTS = ["stage", "start", *map(str, range(1, 31))]
HANDFUL = ["stage", "start", "17", "22", "25", "28", "29"]


@pytest.mark.parametrize("points", [HANDFUL, pytest.param(POINTS, marks=pytest.mark.system)])
def test_an_installer_that_is_killed_anywhere_leaves_a_release_whole_and_the_next_run_clears_up(
    tmp_path: Path, points: list[str], no_waiting_for_the_disk: None
) -> None:
    assert killed(tmp_path, points) == dict.fromkeys(points, signal.SIGKILL)
    for point in points:
        site = Site(tmp_path / point)
        running = site.layout.running()
        assert running in (OLD, NEW)
        assert (site.layout.release(running) / "release.json").read_text() == running
        assert site.services.running in ("", running), "nothing runs but what is named"
        if point in ("22", "start"):  # the machine ended, too
            site.services.boot()
        assert site.watch().outcome in ("nothing to watch", "healthy"), "the timer's next look"
        _require_whole(site)
        roll_back(site.hands) if site.standing.trial else site.install(THIRD)
        _require_whole(site)


def test_a_child_that_nothing_kills_installs(tmp_path: Path) -> None:
    assert killed(tmp_path, ["never"]) == {"never": 0}
    assert Site(tmp_path / "never").services.running == NEW


def _require_whole(site: Site) -> None:
    running, trial = site.layout.running(), site.standing.trial
    assert site.services.running == running
    assert site.journal.operations()[-1].result
    assert list(site.layout.releases.glob(".*")) == []
    assert set(site.layout.identities()) == {running} | ({trial.previous} if trial else set())
