"""The process that is measured: what each phase is given, what it says, and that it is the first to go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.errors import EngineError
from edgekit.profile import __main__ as process
from edgekit.profile.asking import draw_pictures
from edgekit.profile.record import RowRate
from tests.unit.check.case import BUNDLE
from tests.unit.profile.made import spread


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stdin is the tests' here, and it is not to be ended by the kernel."""
    monkeypatch.setattr("edgekit.child._end_with_stdin", lambda: None)
    monkeypatch.setattr(process, "_be_the_first_to_go", lambda: None)
    monkeypatch.setattr(process, "open_bundle", lambda path: BUNDLE if path == Path("a bundle") else None)


def said(capsys: pytest.CaptureFixture[str]) -> list[object]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_phase_gets_its_task_and_its_result_is_said_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks: list[process.Task] = []

    def rates(task: process.Task) -> tuple[RowRate, ...]:
        tasks.append(task)
        task.progress("rates", 1, 2)
        return (RowRate(1, spread(10.0)),)

    monkeypatch.setitem(process.PHASES, "rates", rates)
    pictures = draw_pictures(tmp_path, 2)
    process.main("rates", "a bundle", "3", "0.5", "Why?", *map(str, pictures))
    progress, done = said(capsys)
    assert progress == ["progress", "rates", 1, 2]
    assert done == ["done", [{"rows": 1, "tokens_per_s": dict(vars(spread(10.0)))}]]
    (task,) = tasks
    assert (task.bundle, task.slots, task.seconds) == (BUNDLE, 3, 0.5)
    assert [turn.question for turn in task.turns] == ["Why?", "Why?"]
    assert len({turn.images[0].digest for turn in task.turns}) == 2


def test_an_error_is_said_to_who_waits(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(path: object, slots: int) -> float:
        raise EngineError("no room", "Use fewer slots.")

    monkeypatch.setattr(process, "load_seconds", fail)
    process.main("load", "a bundle", "3", "0.5", "Why?")
    assert said(capsys) == [["error", "no room", "Use fewer slots."]]
