"""A journal's lines are all there or not at all, and tell an operation as it went."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from pathlib import Path

import pytest

from edgekit.deploy.journal import Busy, Journal, alone, make_folder
from edgekit.errors import DiskFull

STEPS = [{"step": "First"}, {"step": "Second"}]


def filled(folder: Path) -> Journal:
    journal = Journal(folder)
    operation = journal.begin("install", {"release": "1"}, STEPS)
    journal.intend(operation, 0, {"was": "there"})
    journal.did(operation, 0, "came of it")
    return journal


def test_an_operation_is_told_as_it_went(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    operation = journal.operations()[0]
    assert (operation.number, operation.name, operation.about, list(operation.steps)) == (
        *(1, "install", {"release": "1"}, STEPS),
    )
    assert (operation.begun, operation.results, operation.result) == ({0: {"was": "there"}}, {0: "came of it"}, "")
    assert operation.begun_ms[0] <= operation.done_ms[0]
    journal.end(operation, "done")
    before = journal.operations()[0]
    journal.fail(operation, "it crashed", is_bad=True)
    assert [one.is_to_be_undone for one in (before, operation, *journal.operations())] == [False, True, True]
    journal.undid(operation, 0)
    journal.end(operation, "undone")
    assert journal.operations() == [operation], "what is written is what is told to the one at hand"
    assert (operation.result, operation.reason, operation.is_bad) == ("undone", "it crashed", True)
    second = journal.begin("commit", {}, [])
    assert second.number == 2
    assert journal.last() == second
    assert journal.last("install") == operation
    assert journal.last("rollback") is None


def test_without_a_file_there_was_nothing(tmp_path: Path) -> None:
    assert Journal(tmp_path).operations() == []
    assert Journal(tmp_path / "nowhere").last() is None


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_is_passed_over_and_cleared_by_the_next_one(tmp_path: Path, cut: int) -> None:
    journal = filled(tmp_path)
    whole, before = journal.path.read_bytes(), journal.operations()
    journal.intend(journal.operations()[0], 1, None)
    torn = journal.path.read_bytes()[: len(whole) + cut]
    journal.path.write_bytes(torn)
    assert journal.operations() == before, "what it announced was not begun"
    assert journal.path.read_bytes() == torn, "reading changes nothing"
    journal.intend(journal.operations()[0], 1, "anew")
    assert journal.operations()[0].begun[1] == "anew"
    assert journal.path.read_bytes().startswith(whole)


def test_a_line_that_is_none_is_passed_over(tmp_path: Path) -> None:
    journal = filled(tmp_path)
    before = journal.operations()
    with journal.path.open("ab") as file:
        file.write(b"\0\0\0\n[]\n{}\n" + b'{"operation": 9, "up_ms": 1, "event": "done", "step": 0, "result": 1}\n')
    assert journal.operations() == before


def test_of_a_line_that_a_full_disk_cuts_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = filled(tmp_path)
    before, write, calls = journal.path.read_bytes(), os.pwrite, iter([3])

    def full(descriptor: int, content: bytes, offset: int) -> int:
        if (count := next(calls, 0)) == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[:count], offset)

    monkeypatch.setattr(os, "pwrite", full)
    operation = journal.operations()[0]
    with pytest.raises(DiskFull):
        journal.intend(operation, 1, None)
    assert journal.path.read_bytes() == before
    assert 1 not in operation.begun


def test_each_line_is_on_the_disk_before_its_writer_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bytes] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}").encode())
    )
    filled(tmp_path)
    assert flushed == [bytes(tmp_path / "journal.jsonl"), bytes(tmp_path), *[bytes(tmp_path / "journal.jsonl")] * 2]


def test_one_command_at_a_time(tmp_path: Path) -> None:
    state = tmp_path / "opt" / "state"
    with alone(state):
        assert not state.exists(), "where nothing is installed, nothing is made"
    make_folder(state)
    with alone(state), pytest.raises(Busy, match="Another command"), alone(state, wait=False):
        pass
    with alone(state, wait=False):
        pass


def test_a_folder_is_on_the_disk_with_those_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    make_folder(tmp_path / "opt" / "edgekit")
    assert flushed == [str(tmp_path), str(tmp_path / "opt")]
    make_folder(tmp_path / "opt" / "edgekit")
    assert len(flushed) == 2


def test_whoever_waits_for_another_command_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at night, when the golden check goes on."""
    asked: list[bool] = []
    told: list[str] = []

    def flock(descriptor: int, how: int) -> None:
        asked.append(bool(how & fcntl.LOCK_NB))
        if asked[-1]:
            raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(logging.getLogger("edgekit.deploy.journal"), "warning", told.append)
    with alone(tmp_path):
        assert asked == [True, False]
    (said,) = told
    assert "waiting for its end" in said
