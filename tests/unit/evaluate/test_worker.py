"""A worker hands over answers some at a time, and one that takes over asks what has not arrived."""

from __future__ import annotations

import pickle
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit import onnx_session
from edgekit.errors import BundleError, EdgeKitError
from edgekit.evaluate import worker
from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.subjects import Subject
from edgekit.evaluate.worker import Task, Worker
from edgekit.runtime.model import Model
from tests.toy_sets import Engine, ToySubject, question_set, toy_bundle, toy_model


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    return question_set(tmp_path)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads a process is told to use, each time."""
    told: list[int] = []
    monkeypatch.setattr(worker, "use_threads", told.append)
    return told


def task(questions: QuestionSet, subject: Subject | None = None) -> Task:
    subject = ToySubject("q4", toy_bundle()) if subject is None else subject
    return Task(subject=subject, questions=questions, rows=questions.rows, slots=2, threads=5)


def test_all_answers_come_a_part_at_a_time(
    questions: QuestionSet, threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "TAKE_S", 0)
    subject = ToySubject("q4", toy_bundle())
    asked = Worker(task(questions, subject))
    taken = [asked.take(frozenset()) for _ in range(6)]
    assert {each.node for each in taken} == {socket.gethostname()}
    answers = [prediction for each in taken for prediction in each.predictions]
    assert answers == list(predictions(toy_model(Engine(3, context=160)), "q4", questions))
    assert [len(each.predictions) for each in taken] == [1] * 6
    assert (subject.opened, threads) == ([2], [5])


def test_one_that_takes_over_asks_what_has_not_arrived(questions: QuestionSet, threads: list[int]) -> None:
    arrived = frozenset(row.id for row in questions.rows[:4])
    taken = Worker(task(questions)).take(arrived)
    assert [each.question_id for each in taken.predictions] == [row.id for row in questions.rows[4:]]


def test_answers_that_were_lost_on_the_way_are_asked_again(questions: QuestionSet, threads: list[int]) -> None:
    subject = ToySubject("q4", toy_bundle())
    asked = Worker(task(questions, subject))
    first = asked.take(frozenset())
    assert asked.take(frozenset()) == first
    assert subject.opened == [2], "by the same engine"


class _Lacking(ToySubject):
    def open(self, slots: int | None) -> Model:
        raise BundleError("There is no bundle", "Build it.")


class _Another(ToySubject):
    def open(self, slots: int | None) -> Model:
        return toy_model(Engine(2, context=160), toy_bundle(digest="f" * 64))


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (_Lacking("q4", toy_bundle()), "There is no bundle"),
        (_Another("q4", toy_bundle()), "toy is another bundle here"),
    ],
)
def test_a_node_that_lacks_the_bundle_or_has_another_says_so(
    questions: QuestionSet, threads: list[int], subject: Subject, said: str
) -> None:
    with pytest.raises(EdgeKitError, match=said) as raised:
        Worker(task(questions, subject)).take(frozenset())
    sent = pickle.loads(pickle.dumps(raised.value))
    assert (type(sent), sent.message, sent.hint) == (EdgeKitError, raised.value.message, raised.value.hint)
    assert sent.message.startswith(f"On {socket.gethostname()}: ")
    assert "the same on every node" in sent.hint


def test_a_node_with_another_edgekit_says_so(questions: QuestionSet) -> None:
    with pytest.raises(EdgeKitError, match=r"and 0\.0\.7 where answers are asked for"):
        Worker(replace(task(questions), version="0.0.7")).take(frozenset())


def test_a_task_can_be_sent(questions: QuestionSet) -> None:
    whole = task(questions, Subject("q4", toy_bundle()))
    sent = pickle.loads(pickle.dumps(whole))
    assert (sent.subject, sent.rows, sent.questions.params) == (whole.subject, whole.rows, questions.params)
    assert sent.questions.dataset == questions.dataset


def test_sessions_compute_in_as_many_threads_as_a_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_session, "_threads", None)
    before = onnx_session.options().intra_op_num_threads
    onnx_session.use_threads(before + 3)
    assert onnx_session.options().intra_op_num_threads == before + 3
    assert onnx_session.options(threads=1).intra_op_num_threads == 1
    onnx_session.use_threads(None)
    assert onnx_session.options().intra_op_num_threads == before
