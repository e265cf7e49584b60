"""Bundles asked a set on a cluster of Ray's: each shard of the set by an engine of its own, the answers in one file.

In: bundles, a set, a cluster, and where the answers go. Out: the same file as one process writes, and the same scores.
Ray places engines where there is room, starts them again elsewhere when a node is lost, and repeats the call that was
lost with it. A call names the answers that have arrived, so nothing that stands in the file is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgekit.batch.pictures import Unchanged
from edgekit.batch.rows import Row
from edgekit.errors import InputError
from edgekit.evaluate.answered import Answered, of_bundle
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.cluster import Room, cluster, resources
from edgekit.evaluate.predictions import predictions_file
from edgekit.evaluate.shards import shards
from edgekit.evaluate.subjects import Subject, Subjects
from edgekit.evaluate.worker import Taken, Task, Worker
from edgekit.progress import Progress, silent
from edgekit.vqa.item import Id

_LOST = 3
"""How many times an engine is started again: one whose rows end its process every time is not started for ever."""


def evaluate_on_ray(
    on: str,
    subjects: Subjects,
    questions: QuestionSet,
    out: Path,
    slots: int | None = None,
    progress: Progress = silent,
) -> list[Answered]:
    """Ask the bundles every question that they have no answer to in ``out`` yet, all at once on the cluster ``on``.

    ``slots`` None: as many as a bundle's target has. Where all is answered, no cluster is looked for. Raises what
    :func:`~edgekit.evaluate.predictions.predictions_file` and :func:`~edgekit.evaluate.cluster.cluster` do, and
    :class:`~edgekit.errors.EdgeKitError` for a node on which a bundle or a picture is missing or another one; what has
    arrived by then is in the file.
    """
    asked = {subject.name: subject for subject in subjects}
    with predictions_file(out, questions, subjects.names) as file:
        left: dict[str, list[Row]] = {}
        for subject in asked.values():
            answered = file.answered(subject.name, subject.bundle.fingerprint)
            left[subject.name] = [row for row in questions.rows if row.id not in answered]
        done, total = sum(len(questions.rows) - len(rows) for rows in left.values()), len(asked) * len(questions.rows)
        if done < total:
            here = _Here(questions)
            progress("answering", done, total)
            with cluster(on) as ray:
                tasks = list(_tasks(resources(ray), asked, questions, left, slots))
                for taken in _taken(ray, tasks):
                    here.require_same(taken)
                    for prediction in taken.predictions:
                        file.add(prediction)
                    done += len(taken.predictions)
                    progress("answering", done, total)
        file.arrange(subjects.names)
        return [of_bundle(name, asked[name].bundle, questions.dataset, file.of(name)) for name in subjects.names]


def _tasks(
    nodes: Sequence[Mapping[str, float]],
    subjects: Mapping[str, Subject],
    questions: QuestionSet,
    left: Mapping[str, Sequence[Row]],
    slots: int | None,
) -> Iterator[Task]:
    """The rows that are left of each bundle, a shard for each engine that the nodes have room for."""
    folder = questions.dataset.folder.absolute()  # a worker is in another folder, on another machine
    everywhere = replace(questions, dataset=replace(questions.dataset, folder=folder))
    for name, subject in subjects.items():
        room = Room.of(nodes, subject.bundle.manifest.target.kind.on_gpu)
        bundle = replace(subject.bundle, path=subject.bundle.path.absolute())
        rows = [replace(row, folder=folder) for row in left[name]]
        for shard in shards(rows, room.engines):
            yield Task(
                subject=replace(subject, bundle=bundle),
                questions=everywhere,
                rows=shard,
                slots=slots,
                threads=room.cpus,
            )


@dataclass
class _Asked:
    """A task's actor, and the ids of its rows whose answers have ``arrived``."""

    actor: Any
    rows: int
    arrived: set[Id] = field(default_factory=set)


def _taken(ray: Any, tasks: Sequence[Task]) -> Iterator[Taken]:
    """Answers as they come. Every task has its actor from the start: Ray places it as soon as there is room.

    A call's answers are in the file before the next is sent, so that the next, should it be lost and repeated by Ray in
    another process, asks only what is left.
    """
    calls: dict[Any, _Asked] = {}
    for task in tasks:
        actor = _actor_class(ray, task).remote(task)
        calls[actor.take.remote(frozenset())] = _Asked(actor, len(task.rows))
    while calls:
        (call,), _ = ray.wait(list(calls), num_returns=1)
        asked = calls.pop(call)
        taken: Taken = ray.get(call)
        yield taken
        asked.arrived.update(prediction.question_id for prediction in taken.predictions)
        if len(asked.arrived) < asked.rows:
            calls[asked.actor.take.remote(frozenset(asked.arrived))] = asked
        else:
            ray.kill(asked.actor)  # its processors are the next one's


def _actor_class(ray: Any, task: Task) -> Any:
    """What Ray starts for a task. A call is repeated for as long as its engine is started again."""
    gpus = int(task.subject.bundle.manifest.target.kind.on_gpu)
    return ray.remote(num_cpus=task.threads, num_gpus=gpus, max_restarts=_LOST, max_task_retries=-1)(Worker)


class _Here:
    """The pictures as they are on the machine that asks."""

    def __init__(self, questions: QuestionSet) -> None:
        self._rows = {row.id: row for row in questions.rows}
        self._unchanged = Unchanged(questions.pictures)

    def require_same(self, taken: Taken) -> None:
        """Raise :class:`InputError` where a node was asked about other pictures than these, or lacks them."""
        for prediction in taken.predictions:
            row, sha256 = self._rows[prediction.question_id], prediction.metadata["sha256"]
            if not self._unchanged(row, sha256):
                what = "has another picture than this machine at" if sha256 else "can't read"
                raise InputError(
                    f"{taken.node} {what} {', '.join(map(str, row.files))}",
                    "Pictures have to lie at the same path on every node: share the folder of the set.",
                )
