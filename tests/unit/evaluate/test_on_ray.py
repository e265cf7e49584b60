"""What is sent to a cluster and what becomes of the answers; the cluster itself is a stand-in that can lose a call.

Ray's own are in the system tier: tests/integration/test_evaluate_ray.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.evaluate import on_ray, worker
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.on_ray import evaluate_on_ray
from edgekit.evaluate.on_set import evaluate_set
from edgekit.evaluate.worker import Taken
from tests.toy_sets import question_set, toys


class _Actor:
    """An actor in this process; each call that is ``lost`` is repeated in a new one, as Ray does it."""

    def __init__(self, kind: Callable[..., Any], cluster: Cluster, arguments: tuple[Any, ...]) -> None:
        self._kind, self._cluster, self._arguments = kind, cluster, arguments
        self._inner = kind(*arguments)
        self.take = self

    def remote(self, arrived: frozenset[Any]) -> int:
        taken = self._inner.take(arrived)
        self._cluster.calls.append((self._arguments[0], taken))
        if len(self._cluster.calls) in self._cluster.lost:
            self._inner = self._kind(*self._arguments)
            return self.remote(arrived)
        self._cluster.results.append(taken)
        return len(self._cluster.results) - 1


class Cluster:
    """Two nodes of three processors each, as far as :mod:`on_ray` asks Ray for anything."""

    def __init__(self) -> None:
        self.calls: list[tuple[worker.Task, Taken]] = []
        self.results: list[Taken] = []
        self.lost: set[int] = set()
        self.options: list[dict[str, Any]] = []
        self.killed: list[Any] = []
        self.get = self.results.__getitem__
        self.kill = self.killed.append

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": 3.0}}] * 2

    def remote(self, **options: Any) -> Callable[..., Any]:
        self.options.append(options)
        return lambda kind: type("Remote", (), {"remote": staticmethod(lambda *given: _Actor(kind, self, given))})

    def wait(self, calls: list[int], num_returns: int) -> tuple[list[int], list[int]]:
        assert num_returns == 1
        return calls[-1:], calls[:-1]  # the last first: the order in which answers come is nobody's promise


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    return question_set(tmp_path / "set")


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    stand_in = Cluster()

    @contextmanager
    def cluster(on: str) -> Iterator[Cluster]:
        assert on == "ray"
        yield stand_in

    monkeypatch.setattr(on_ray, "cluster", cluster)
    monkeypatch.setattr(worker, "use_threads", lambda threads: None)
    monkeypatch.setattr(worker, "TAKE_S", 0)
    return stand_in


def test_it_writes_what_one_process_writes(questions: QuestionSet, ray: Cluster, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    at_a_go = evaluate_set(toys("q4", "q8")[0], questions, whole)
    told: list[tuple[str, int, int]] = []
    assert evaluate_on_ray("ray", toys("q4", "q8")[0], questions, out, 2, lambda *at: told.append(at)) == at_a_go
    assert out.read_bytes() == whole.read_bytes()
    assert told == [("answering", done, 12) for done in range(13)]
    expected = {"num_cpus": 3, "num_gpus": 0, "max_restarts": 3, "max_task_retries": -1}
    assert ray.options == [expected] * 4, "a shard of each bundle for each node"
    assert len(ray.killed) == 4
    assert {task.threads for task, _ in ray.calls} == {3}
    assert {task.slots for task, _ in ray.calls} == {2}


def test_a_lost_worker_costs_what_had_not_arrived(questions: QuestionSet, ray: Cluster, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    at_a_go = evaluate_set(toys("q4", "q8")[0], questions, whole)
    ray.lost = {2, 6, 9}
    assert evaluate_on_ray("ray", toys("q4", "q8")[0], questions, out) == at_a_go
    assert out.read_bytes() == whole.read_bytes()
    assert sum(len(taken.predictions) for _, taken in ray.calls) == 12 + len(ray.lost)


def test_it_goes_on_where_one_process_stopped_and_looks_for_no_cluster_at_the_end(
    questions: QuestionSet, ray: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    first = evaluate_set(toys("q4")[0], questions, out)
    both = evaluate_on_ray("ray", toys("q4", "q8")[0], questions, out)
    assert both[0] == first[0]
    assert {task.subject.name for task, _ in ray.calls} == {"q8"}
    monkeypatch.setattr(on_ray, "cluster", None)
    assert evaluate_on_ray("ray", toys("q4", "q8")[0], questions, out) == both


def test_a_worker_is_told_places_that_hold_in_any_folder(
    questions: QuestionSet, ray: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = replace(questions, dataset=replace(questions.dataset, folder=Path("set")))
    evaluate_on_ray("ray", toys("q4")[0], here, tmp_path / "out.jsonl")
    for task, _ in ray.calls:
        assert task.subject.bundle.path == tmp_path / "toy"
        assert {row.folder for row in task.rows} == {tmp_path / "set"}


@pytest.mark.parametrize(("content", "said"), [(b"other", "has another picture than"), (None, "can't read")])
def test_a_node_that_sees_another_picture_is_named(
    questions: QuestionSet,
    ray: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    said: str,
) -> None:
    elsewhere = question_set(tmp_path / "elsewhere").dataset.folder
    (elsewhere / "b.png").unlink() if content is None else (elsewhere / "b.png").write_bytes(content)
    sent = on_ray._tasks

    def astray(*given: Any) -> Iterator[worker.Task]:
        for task in sent(*given):
            yield replace(task, rows=[replace(row, folder=elsewhere) for row in task.rows])

    monkeypatch.setattr(on_ray, "_tasks", astray)
    with pytest.raises(InputError, match=rf"{said}.*b\.png"):
        evaluate_on_ray("ray", toys("q4")[0], questions, tmp_path / "out.jsonl")
    assert b"b.png" not in (tmp_path / "out.jsonl").read_bytes()
