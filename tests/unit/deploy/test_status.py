"""How an installation fares, whatever has happened to it."""

from __future__ import annotations

from edgekit.deploy.journal import alone, make_folder
from edgekit.deploy.status import reached, status
from edgekit.deploy.steps import Hands
from edgekit.errors import EdgeKitError, GateRefused
from tests.deploying import NEW, OLD, Site


def answers(hands: Hands) -> str:
    return ""


def test_a_machine_without_any_is_told(site: Site) -> None:
    told = status(site.hands, answers).document()
    assert (told["release"], told["state"], told["healthy"], told["rolled_back"]) == ("", "", False, None)
    assert not list(site.folder.iterdir()), "looking changes nothing"


def test_a_trial_and_what_was_committed_are_told_apart(site: Site) -> None:
    site.installed(OLD)
    told = status(site.hands, answers).document()
    assert (told["release"], told["state"], told["trial"], told["healthy"]) == (OLD, "committed", None, True)
    site.install(NEW)
    site.watch()
    told = status(site.hands, answers).document()
    assert (told["release"], told["state"], told["previous"], told["service"]) == (NEW, "trial", OLD, "active")
    assert (told["trial"]["healthy"], told["trial"]["of"]) == (1, 10)


def test_how_far_it_came_and_why_it_went_back(site: Site) -> None:
    site.installed(OLD)
    site.refusing["profile"] = GateRefused("over budget")
    try:
        site.install(NEW)
    except GateRefused:
        undone = status(site.hands, answers).rolled_back
    assert undone is not None
    assert (reached(undone), undone.reason) == ("checked", "over budget")
    site.refusing.clear()
    site.broken.add(NEW)
    try:
        site.install(NEW)
    except EdgeKitError:
        told = status(site.hands, answers).document()
    assert told["rolled_back"]["reached"] == "profiled"
    assert told["rolled_back"]["bad"] is True
    assert told["bad"] == [NEW]
    assert told["rolled_back"]["downtime_s"] is not None


def test_what_was_measured_and_what_does_not_answer(site: Site) -> None:
    site.results["profile"] = {"static_bytes": 1, "dynamic_bytes": 2, "budget": []}
    site.installed(OLD)
    told = status(site.hands, lambda hands: "it is silent").document()
    assert told["measured"] == {"static_bytes": 1, "dynamic_bytes": 2, "budget": []}
    assert (told["healthy"], told["why"], told["last_lines"]) == (False, "it is silent", ["it says nothing"])


def test_where_systemd_can_not_be_asked_that_is_told(site: Site) -> None:
    site.installed(OLD)

    def mute(hands: Hands) -> str:
        raise EdgeKitError("systemctl is not installed", "")

    told = status(site.hands, mute).document()
    assert (told["service"], told["why"]) == ("unknown", "systemctl is not installed")


def test_what_was_interrupted_is_told(site: Site) -> None:
    make_folder(site.layout.state)
    with alone(site.layout.state):
        site.journal.begin("install", {"release": NEW}, [])
        later = site.journal.begin("commit", {"release": NEW}, [])
        site.journal.end(later, "undone")
    assert status(site.hands, answers).document()["interrupted"] == "install", "whatever came after it"
