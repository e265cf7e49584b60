"""Steps are journalled before they are begun and after they are done; what fails is undone, the last step first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.deploy.journal import make_folder
from edgekit.deploy.placing import Configure, Switch
from edgekit.deploy.runner import complete, recover, run, take_back
from edgekit.deploy.starting import Start, Stop
from edgekit.deploy.states import rescue
from edgekit.deploy.steps import Step, document
from edgekit.errors import DiskFull, EdgeKitError
from tests.deploying import NEW, OLD, Site

FIRST, SECOND = Configure("/etc/first", "1"), Configure("/etc/second", "2")


def written(site: Site) -> list[str]:
    return sorted(path.name for path in (site.folder / "etc").glob("*"))


@pytest.fixture
def ready(site: Site) -> Site:
    make_folder(site.layout.state)
    return site


def test_every_step_is_noted_before_and_after(ready: Site) -> None:
    told: list[tuple[str, int, list[str]]] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append((stage, done, written(ready)))

    operation = run(ready.journal, "install", {"release": NEW}, [FIRST], replace(ready.hands, progress=progress))
    assert operation == ready.journal.last()
    assert (operation.result, set(operation.begun), set(operation.done_ms)) == ("done", {0}, {0})
    assert told == [("Create the configuration", 0, []), ("Create the configuration", 1, ["first"])]


def test_what_fails_is_undone_in_reverse(ready: Site) -> None:
    with pytest.raises(EdgeKitError, match="is not in"):
        run(ready.journal, "install", {"release": NEW}, [FIRST, SECOND, Switch(NEW)], ready.hands)
    operation = ready.journal.last()
    assert operation is not None
    assert (operation.result, list(operation.undone_ms)) == ("undone", [2, 1, 0])
    assert operation.reason.startswith("The release 222222222222 is not in")
    assert written(ready) == []
    assert ready.standing.bad == (), "its start did not fail"


def test_a_step_that_can_not_be_undone_holds_up_no_other_and_is_undone_by_the_next_run(
    ready: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(self: Configure, hands: object, before: object) -> None:
        raise EdgeKitError("it is stuck", "")

    with monkeypatch.context() as patch, pytest.raises(EdgeKitError, match="is not in") as error:
        patch.setattr(Switch, "undo", stuck)
        run(ready.journal, "install", {"release": NEW}, [FIRST, Switch(NEW)], ready.hands)
    assert "Not all of it is undone (it is stuck)" in error.value.hint
    assert written(ready) == []
    operation = recover(ready.journal, ready.hands)
    assert operation is not None
    assert operation.result == "undone"
    assert recover(ready.journal, ready.hands) is None


def test_what_was_half_undone_is_never_completed(ready: Site) -> None:
    ready.layout.release(NEW).mkdir(parents=True)
    operation = ready.journal.begin("install", {"release": NEW}, [document(step) for step in (Switch(NEW), Start())])
    for number, step in enumerate((Switch(NEW), Start())):
        ready.journal.intend(operation, number, step.before(ready.hands))
        step.do(ready.hands)
    Start().undo(ready.hands, None)
    ready.journal.undid(operation, 1)
    later = ready.journal.begin("commit", {"release": NEW}, [])
    ready.journal.end(later, "undone")
    recovered = recover(ready.journal, ready.hands)
    assert recovered is not None
    assert (recovered.name, recovered.result, ready.layout.running()) == ("install", "undone", None)
    assert ready.services.running == ""


def test_undoing_needs_no_room_on_the_disk(ready: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object, **more: object) -> None:
        raise DiskFull("No space is left", "")

    operation = ready.journal.begin("install", {"release": NEW}, [document(FIRST)])
    ready.journal.intend(operation, 0, False)
    FIRST.do(ready.hands)
    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr("edgekit.deploy.journal._append", full)
        complete(ready.journal, operation, ready.hands)
    assert written(ready) == []
    assert recover(ready.journal, ready.hands) is not None
    assert ready.journal.operations()[-1].result == "undone"


@pytest.mark.parametrize(("begun", "result"), [(1, "undone"), (2, "done"), (3, "done")])
def test_what_was_interrupted_is_undone_before_the_switch_and_completed_after(
    ready: Site, begun: int, result: str
) -> None:
    ready.layout.release(NEW).mkdir(parents=True)
    steps: list[Step] = [Stop(), Switch(NEW), Start()]
    operation = ready.journal.begin("install", {"release": NEW}, [document(step) for step in steps])
    for number, step in enumerate(steps[:begun]):
        ready.journal.intend(operation, number, step.before(ready.hands))
        step.do(ready.hands)
    recovered = recover(ready.journal, ready.hands)
    assert recovered is not None
    assert recovered.result == ready.journal.operations()[-1].result == result
    assert ready.services.running == (NEW if result == "done" else "")
    assert recover(ready.journal, ready.hands) is None


def test_what_can_not_be_completed_is_undone_and_no_error(ready: Site) -> None:
    for release in (OLD, NEW):
        ready.layout.release(release).mkdir(parents=True)
    Switch(OLD).do(ready.hands)
    (ready.layout.release(NEW) / "broken").touch()
    operation = ready.journal.begin("install", {"release": NEW}, [document(Switch(NEW)), document(Start())])
    ready.journal.intend(operation, 0, OLD)
    recovered = recover(ready.journal, ready.hands)
    assert recovered is not None
    assert (recovered.result, recovered.is_bad) == ("undone", True)
    assert ready.layout.running() == OLD
    assert ready.standing.bad == (NEW,), "it did not start"


@pytest.mark.parametrize("renamed", [("Start",), ("HandOver",), ("BeginTrial", "Switch"), ("Stop", "Switch", "Start")])
def test_steps_that_a_newer_version_wrote_do_not_keep_the_release_before_from_running(
    site: Site, renamed: tuple[str, ...]
) -> None:
    site.installed(OLD).install(NEW)
    text = site.journal.path.read_text(encoding="utf-8")
    head, _, tail = text.rpartition('"event": "begin"')
    for name in renamed:
        tail = tail.replace(f'"step": "{name}"', f'"step": "{name}InAnotherManner"')
    site.journal.path.write_text(f'{head}"event": "begin"{tail}', encoding="utf-8")
    operation = site.journal.operations()[-1]
    take_back(site.journal, operation, site.hands, "it crashed", is_bad=True)
    assert (operation.result, site.standing.bad) == ("undone", (NEW,))
    assert site.services.running == site.layout.running() == OLD
    assert (site.standing.trial, rescue(site.layout)) == (None, OLD)
    assert recover(site.journal, site.hands) is None


@pytest.mark.parametrize("begun", [1, 2])
def test_an_operation_of_a_newer_version_that_was_cut_is_undone_and_no_error(ready: Site, begun: int) -> None:
    ready.layout.release(NEW).mkdir(parents=True)
    steps = [document(FIRST), document(Switch(NEW)), {"step": "Dance"}, document(Start())]
    operation = ready.journal.begin("install", {"release": NEW, "previous": ""}, steps)
    for number, step in enumerate((FIRST, Switch(NEW))[:begun]):
        ready.journal.intend(operation, number, step.before(ready.hands))
        step.do(ready.hands)
    recovered = recover(ready.journal, ready.hands)
    assert recovered is not None
    assert (recovered.result, recovered.is_bad, ready.layout.running(), written(ready)) == ("undone", False, None, [])


def test_what_came_to_its_end_can_be_taken_back(ready: Site) -> None:
    operation = run(ready.journal, "install", {"release": NEW}, [FIRST], ready.hands)
    take_back(ready.journal, operation, ready.hands, "it crashed", is_bad=True)
    last = ready.journal.last()
    assert last is not None
    assert (last.result, last.reason, written(ready), ready.standing.bad) == ("undone", "it crashed", [], (NEW,))
