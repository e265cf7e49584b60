"""The nightly check: beside the service where there is room, else as far as the site allows it, never in a trial, never
beside an install; and whatever cuts it, the service runs again."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.check.nightly import Finding, read_nightly
from edgekit.child import Crash, Overdue
from edgekit.cli.signals import Ended
from edgekit.deploy import journal
from edgekit.deploy.journal import alone
from edgekit.deploy.nightly import MOST_STOPPED_S, NIGHTLY, Means, check_nightly
from edgekit.deploy.rollback import roll_back
from edgekit.deploy.status import status
from edgekit.deploy.steps import Hands
from edgekit.errors import DiskFull, EdgeKitError, EngineError, GateRefused
from edgekit.progress import Progress
from tests.deploying import NEW, OLD, THIRD, Site

GONE = Finding("libcuda was replaced", "restart")


@dataclass
class Night:
    """A night of a site: what is found, whether its processes may be looked at, what lacks, what is forbidden; ``seen``
    has what was looked at."""

    site: Site
    findings: tuple[Finding, ...] = ()
    untold: bool = False
    lacking: str = ""
    forbidden: str = "not allowed"
    seen: list[str | int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site.installed(OLD)
        self.site.examined.clear()
        self.site.services.told.clear()

    def check(self) -> dict[str, Any]:
        def look(release: str) -> tuple[Finding, ...]:
            self.seen.append(release)
            self.site.services.pid += 1  # it was started anew while files were hashed
            return self.findings

        def replaced(pid: int) -> tuple[Finding, ...] | None:
            self.seen.append(pid)
            return None if self.untold else ()

        def hurried(hands: Hands, seconds: float) -> Hands:
            self.seen.append(f"within {seconds:.0f} s")
            return hands

        means = Means(
            look=look,
            replaced=replaced,
            lacking=lambda bundle: self.lacking,
            forbidden=lambda: self.forbidden,
            hurried=hurried,
        )
        nightly = check_nightly(self.site.hands, means)
        assert nightly is not None
        if nightly.release == OLD:
            assert read_nightly(self.site.layout.checked) == nightly
        return nightly.document()


@pytest.fixture
def night(site: Site) -> Night:
    return Night(site)


def why(part: Mapping[str, Any]) -> str:
    return str(part["findings"][0]["what"])


def test_nothing_is_checked_where_nothing_is_installed(site: Site) -> None:
    means = Means(
        look=lambda release: (),
        replaced=lambda pid: (),
        lacking=lambda bundle: "",
        forbidden=lambda: "",
        hurried=lambda hands, seconds: hands,
    )
    assert check_nightly(site.hands, means) is None
    assert not list(site.folder.iterdir())


def test_where_there_is_room_the_service_goes_on(night: Night) -> None:
    told = night.check()
    assert (told["files"]["outcome"], told["answers"]["outcome"], told["manner"]) == ("passed", "passed", "beside")
    assert told["release"] == OLD
    assert night.seen == [OLD, 1]
    assert night.site.examined == [("check", OLD)], "while it ran"
    assert night.site.services.told == []
    assert night.site.journal.last(NIGHTLY) is None


def test_what_was_replaced_is_told_and_the_answers_are_asked_all_the_same(night: Night) -> None:
    night.findings = (GONE,)
    told = night.check()
    assert (told["files"]["outcome"], told["answers"]["outcome"]) == ("failed", "passed")
    assert told["files"]["findings"] == [{"what": "libcuda was replaced", "mend": "restart"}]
    shown = status(night.site.hands, lambda hands: "").document()["nightly"]
    assert shown == told


def test_answers_that_fall_short_are_told_and_nothing_is_stopped(night: Night) -> None:
    night.site.refusing["check"] = GateRefused("the answers fall short", "")
    told = night.check()
    assert (told["answers"]["outcome"], why(told["answers"])) == ("failed", "the answers fall short")
    assert "edgekit rollback" in told["answers"]["findings"][0]["mend"]
    assert night.site.services.told == []
    night.site.refusing.clear()
    assert night.check()["answers"]["outcome"] == "passed"


def test_a_check_that_runs_out_of_memory_says_nothing(night: Night) -> None:
    night.site.refusing["check"] = Crash("The release's check was ended by SIGKILL", "", signal.SIGKILL)
    assert night.check()["answers"]["outcome"] == "not done"
    night.site.refusing["check"] = Overdue("The release's check took longer", "", signal.SIGKILL)
    assert "nobody was to wait longer" in why(night.check()["answers"])
    for why_ in ("The GPU has run out of memory", "This machine has no room for a KV arena of 1 GiB"):
        night.site.refusing["check"] = EngineError(why_, "")
        assert night.check()["answers"]["outcome"] == "not done", why_
    night.site.refusing["check"] = EngineError("no GPU", "")
    assert night.check()["answers"]["outcome"] == "failed", "the next start would find no other"


def test_without_room_it_is_not_done_unless_the_site_allows_it(night: Night) -> None:
    night.lacking = "1 GiB is free"
    told = night.check()
    assert (told["files"]["outcome"], told["answers"]["outcome"], told["manner"]) == ("passed", "not done", "")
    assert why(told["answers"]) == "1 GiB is free; not allowed"
    assert night.site.examined == []
    assert night.site.services.told == []


def test_where_it_is_allowed_the_service_is_stopped_and_started_again(night: Night) -> None:
    night.lacking, night.forbidden = "1 GiB is free", ""
    told = night.check()
    assert (told["answers"]["outcome"], told["manner"]) == ("passed", "stopped")
    assert told["downtime_s"] >= 0
    assert night.seen[-1] == f"within {MOST_STOPPED_S:.0f} s"
    assert night.site.examined == [("check", "")], "while nothing ran"
    assert night.site.services.running == OLD
    shown = status(night.site.hands, lambda hands: "")
    assert (shown.rolled_back, shown.interrupted) == (None, None)
    assert night.site.watch().outcome == "nothing to watch", "the timer stops"


def test_answers_that_fall_short_while_it_is_stopped_keep_nobody_waiting(night: Night) -> None:
    night.lacking, night.forbidden = "1 GiB is free", ""
    night.site.refusing["check"] = GateRefused("the answers fall short", "")
    told = night.check()
    assert (told["answers"]["outcome"], told["manner"]) == ("failed", "stopped")
    assert told["downtime_s"] is not None
    assert night.site.services.running == OLD
    assert night.site.standing.state == "committed"
    shown = status(night.site.hands, lambda hands: "")
    assert (shown.rolled_back, shown.interrupted) == (None, None), "no release went back"


@pytest.mark.parametrize("event", ["begin", "intent", "done"])
def test_a_full_disk_says_nothing_of_the_answers(night: Night, monkeypatch: pytest.MonkeyPatch, event: str) -> None:
    """At the operation's first line, and at the first before and after a step."""
    night.lacking, night.forbidden = "1 GiB is free", ""
    append = journal._append

    def full(descriptor: int, end: int, line: bytes) -> None:
        if json.loads(line)["event"] == event:
            raise DiskFull("No space is left", "")
        append(descriptor, end, line)

    monkeypatch.setattr(journal, "_append", full)
    told = night.check()
    assert (told["answers"]["outcome"], why(told["answers"])) == ("not done", "No space is left")
    assert night.site.services.running == OLD


def test_a_service_that_does_not_end_says_nothing_of_the_answers(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.lacking, night.forbidden = "1 GiB is free", ""

    def stop(unit: str, seconds: float = 0) -> None:
        raise EdgeKitError(f"{unit} did not stop", "")

    monkeypatch.setattr(night.site.services, "stop", stop)
    assert night.check()["answers"]["outcome"] == "not done"


def test_one_that_does_not_start_after_answers_that_were_right_is_told_as_that(night: Night) -> None:
    night.lacking, night.forbidden = "1 GiB is free", ""
    (night.site.layout.release(OLD) / "broken").touch()
    answers = night.check()["answers"]
    assert answers["outcome"] == "failed"
    assert why(answers).startswith("the service does not run since")
    assert "goes back" not in answers["findings"][0]["mend"]
    assert len(answers["findings"]) == 1


@pytest.mark.parametrize("way", ["roll back", "install"])
def test_a_service_that_does_not_start_again_keeps_nobody_from_another_release(night: Night, way: str) -> None:
    night.site.installed(NEW)
    night.lacking, night.forbidden = "1 GiB is free", ""
    (night.site.layout.release(NEW) / "broken").touch()
    assert night.check()["answers"]["outcome"] == "failed"
    with pytest.raises(EdgeKitError, match="did not start"):
        night.site.watch()  # the timer goes on trying
    if way == "install":
        night.site.install(THIRD)
    else:
        assert roll_back(night.site.hands).name == "rollback"
    assert night.site.services.running == (THIRD if way == "install" else OLD)
    assert night.site.journal.unfinished() is None


def test_what_may_not_start_again_is_not_stopped(night: Night) -> None:
    night.lacking, night.forbidden, night.findings = "1 GiB is free", "", (GONE,)
    told = night.check()
    assert "may not start again" in why(told["answers"])
    assert night.site.services.told == []


def test_a_service_that_does_not_run_is_not_started(night: Night) -> None:
    night.site.services.fail()
    told = night.check()
    assert (told["answers"]["outcome"], told["manner"]) == ("passed", "alone")
    night.lacking, night.forbidden = "1 GiB is free", ""
    told = night.check()
    assert why(told["answers"]) == "1 GiB is free; the service does not run, so that no stop makes room"
    assert night.site.services.told == []


@pytest.mark.parametrize("active", ["activating", "deactivating"])
def test_memory_is_not_taken_twice_while_the_service_starts_or_stops(night: Night, active: str) -> None:
    night.site.services.meanwhile, night.forbidden = active, ""
    told = night.check()
    assert (told["answers"]["outcome"], told["files"]["outcome"]) == ("not done", "passed")
    assert active in why(told["answers"])
    assert (night.site.services.told, night.site.examined) == ([], [])


def test_one_that_can_not_be_looked_at_is_not_told_to_be_well_and_not_stopped(night: Night) -> None:
    night.untold, night.lacking, night.forbidden = True, "1 GiB is free", ""
    told = night.check()
    assert (told["files"]["outcome"], told["answers"]["outcome"]) == ("not done", "not done")
    assert "can't be looked at" in why(told["files"])
    assert night.site.services.told == []


def test_a_release_on_trial_is_left_alone(night: Night) -> None:
    night.site.install(NEW)
    night.site.examined.clear()
    night.site.services.told.clear()
    night.lacking, night.forbidden = "1 GiB is free", ""
    told = night.check()
    assert (told["files"]["outcome"], told["answers"]["outcome"]) == ("not done", "not done")
    assert "on trial" in why(told["answers"])
    assert (night.site.examined, night.site.services.told) == ([], [])


def test_a_trial_does_not_have_the_failure_of_the_release_before_forgotten(night: Night) -> None:
    night.findings = (GONE,)
    night.check()
    night.site.install(NEW)
    assert night.check()["files"]["outcome"] == "not done"
    roll_back(night.site.hands)
    nightly = status(night.site.hands, lambda hands: "").nightly
    assert nightly is not None
    assert (nightly.release, nightly.files.outcome) == (OLD, "failed")


def test_it_never_runs_beside_an_install(night: Night) -> None:
    with alone(night.site.layout.state):
        told = night.check()
    assert "Another command" in why(told["files"])
    assert night.site.examined == []


def test_what_failed_is_not_forgotten_by_a_night_that_was_too_busy(night: Night) -> None:
    night.findings = (GONE,)
    night.check()
    with alone(night.site.layout.state):
        assert night.check()["files"]["outcome"] == "failed"


def test_one_that_is_cut_while_the_service_is_stopped_has_it_started_again(night: Night) -> None:
    """By the timer, a minute later."""
    night.lacking, night.forbidden = "1 GiB is free", ""

    def cut(phase: str, bundle: Path, progress: Progress) -> Mapping[str, Any]:
        raise _Cut

    whole = night.site.hands
    night.site.hands = replace(whole, examine=cut, services=_Cutting(whole.services))  # type: ignore[arg-type]
    with pytest.raises(_Cut):
        night.check()
    night.site.hands = whole
    assert night.site.services.running == "", "as a power cut leaves it"
    assert "was interrupted" in why(night.check()["answers"])
    assert night.site.watch().outcome == "nothing to watch"
    assert night.site.services.running == OLD
    assert night.check()["answers"]["outcome"] == "passed"


def test_one_that_is_told_to_end_starts_the_service_first(night: Night) -> None:
    """By systemd, with SIGTERM; what the night before said holds."""
    night.check()
    before = night.site.layout.checked.read_bytes()
    night.lacking, night.forbidden = "1 GiB is free", ""

    def end(phase: str, bundle: Path, progress: Progress) -> Mapping[str, Any]:
        raise Ended(signal.SIGTERM)

    night.site.hands = replace(night.site.hands, examine=end)
    with pytest.raises(Ended):
        night.check()
    assert night.site.services.running == OLD
    assert night.site.journal.unfinished() is None
    assert night.site.layout.checked.read_bytes() == before


class _Cut(BaseException):
    """Nothing is done after it."""


class _Cutting:
    """Services that are asked nothing any more once the check has begun."""

    def __init__(self, services: Any) -> None:
        self._services, self._stopped = services, False

    def __getattr__(self, name: str) -> Any:
        if self._stopped and name in ("start", "stop", "restart", "reset_failed"):
            raise _Cut
        return getattr(self._services, name)

    def stop(self, unit: str) -> None:
        if self._stopped:
            raise _Cut
        self._services.stop(unit)
        self._stopped = unit == "edgekit.service"
