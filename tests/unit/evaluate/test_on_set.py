"""Bundles asked the same set: what counts, what is asked again, and the same file however often it was begun."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.errors import DiskFull, InputError
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.on_set import evaluate_set
from edgekit.evaluate.subjects import Subjects
from tests.toy_sets import ToySubject, question_set, toy_bundle, toys


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    return question_set(tmp_path / "set")


def stopping(after: int) -> Callable[[str, int, int], None]:
    """A progress that is interrupted when so much has been told."""
    told = iter(range(after))

    def progress(stage: str, done: int, total: int) -> None:
        if next(told, None) is None:
            raise KeyboardInterrupt

    return progress


def test_a_run_that_was_ended_again_and_again_writes_what_one_at_a_go_does(
    questions: QuestionSet, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    at_a_go = evaluate_set(toys("q4", "q8")[0], questions, whole)
    lines: list[int] = []
    for after in (3, 2, 6):
        subjects, _ = toys("q4", "q8")
        with pytest.raises(KeyboardInterrupt):
            evaluate_set(subjects, questions, broken, progress=stopping(after))
        lines.append(broken.read_bytes().count(b"\n"))
    assert lines == sorted(set(lines))
    assert 0 < lines[0] < 6 < lines[-1] < 12
    with broken.open("ab") as file:
        file.write(whole.read_bytes()[:100])
    assert evaluate_set(toys("q4", "q8")[0], questions, broken, slots=1) == at_a_go
    assert broken.read_bytes() == whole.read_bytes()


def test_where_all_is_answered_no_bundle_is_opened(questions: QuestionSet, tmp_path: Path) -> None:
    subjects, by_name = toys("q4", "q8")
    first = evaluate_set(subjects, questions, tmp_path / "out.jsonl", slots=2)
    assert [each.opened for each in by_name.values()] == [[2], [2]]
    assert evaluate_set(subjects, questions, tmp_path / "out.jsonl") == first
    assert [each.opened for each in by_name.values()] == [[2], [2]]


def test_another_bundle_may_follow(questions: QuestionSet, tmp_path: Path) -> None:
    evaluate_set(toys("q4")[0], questions, tmp_path / "out.jsonl")
    subjects, by_name = toys("q8", "q4")
    evaluate_set(subjects, questions, tmp_path / "out.jsonl")
    assert [each.opened for each in by_name.values()] == [[None], []]
    models = [line.partition('"model_id": ')[2][:4] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert models == ['"q8"'] * 6 + ['"q4"'] * 6


def test_an_answer_that_is_missing_counts_as_empty_where_its_picture_was_there(
    questions: QuestionSet, tmp_path: Path
) -> None:
    folder = questions.dataset.folder
    (folder / "a.png").write_bytes(b"no picture")
    (folder / "b.png").unlink()
    (answered,) = evaluate_set(toys("q4")[0], questions, tmp_path / "out.jsonl")
    assert [each.question_id for each in answered.failed] == ["q0", 1, "q2", "q4", 5]
    assert [item.id for item in answered.scored] == ["q0", "q2", 3, 5]
    assert answered.texts["q0"] == ""
    assert answered.scores.figures["closed_paper"].percent in (0, pytest.approx(100 / 3))
    assert answered.scores.figures["open_recall"].percent == 0
    (there,) = evaluate_set(toys("q4")[0], question_set(folder), tmp_path / "other.jsonl")
    assert (there.failed, len(there.scored)) == ((), 6)


def test_what_failed_is_asked_again_by_the_next_run(questions: QuestionSet, tmp_path: Path) -> None:
    (questions.dataset.folder / "a.png").write_bytes(b"no picture")
    (first,) = evaluate_set(toys("q4")[0], questions, tmp_path / "out.jsonl")
    assert len(first.failed) == 3
    question_set(questions.dataset.folder)
    told: list[int] = []
    (second,) = evaluate_set(
        toys("q4")[0], questions, tmp_path / "out.jsonl", progress=lambda stage, done, total: told.append(done)
    )
    assert (second.failed, told) == ((), [3, 4, 5, 6])


def test_another_bundle_of_the_same_name_is_refused_before_it_is_asked(questions: QuestionSet, tmp_path: Path) -> None:
    evaluate_set(toys("q4")[0], questions, tmp_path / "out.jsonl")
    before = (tmp_path / "out.jsonl").read_bytes()
    other = ToySubject("q4", toy_bundle(digest="f" * 64))
    with pytest.raises(InputError, match="of another bundle called 'q4'"):
        evaluate_set(Subjects(("q4",), lambda: iter([other])), questions, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert not other.opened


def test_a_full_disk_is_told_and_what_was_answered_is_gone_on_with(
    questions: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out, write = tmp_path / "whole.jsonl", tmp_path / "out.jsonl", os.write
    evaluate_set(toys("q4")[0], questions, whole)
    room = iter((10_000, 10_000, 20, 0))

    def filling(descriptor: int, line: bytes) -> int:
        size = next(room)
        if not size:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, line[:size])

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(DiskFull, match="No space is left to write"):
        evaluate_set(toys("q4")[0], questions, out)
    monkeypatch.undo()
    assert out.read_bytes().count(b"\n") == 2
    told: list[int] = []
    evaluate_set(toys("q4")[0], questions, out, progress=lambda stage, done, total: told.append(done))
    assert told[0] == 2
    assert out.read_bytes() == whole.read_bytes()
