"""An engine that answers one shard of a set, wherever it runs: what Ray makes an actor of, though this knows no Ray.

In: a bundle, a set and a shard's rows, and again and again which of them have reached who asked. Out: answers, some
at a time, and the node that gave them.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

import edgekit
from edgekit.batch.rows import Row
from edgekit.errors import EdgeKitError
from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.prediction import Prediction
from edgekit.evaluate.subjects import Subject
from edgekit.onnx_session import use_threads
from edgekit.runtime.model import Model
from edgekit.vqa.item import Id

TAKE_S = 1.0
"""How long a call answers before it hands over what there is: what a lost node costs at most, beside what its slots had
begun."""
_SAME = "Bundles, pictures and EdgeKit have to be the same on every node, and at the same paths."


@dataclass(frozen=True, kw_only=True)
class Task:
    """A shard's ``rows``, asked of ``subject`` in so many ``slots`` (None: the target's) by so many ``threads``.

    ``questions`` is the set that the rows are of; ``version`` is EdgeKit's, where this was made.
    """

    subject: Subject
    questions: QuestionSet
    rows: Sequence[Row]
    slots: int | None
    threads: int
    version: str = edgekit.__version__


class Taken(NamedTuple):
    """Answers, and the host name of the ``node`` that gave them."""

    node: str
    predictions: list[Prediction]


class Worker:
    """A task's engine, which is opened when the first answers are asked for and again in each process that takes over
    from a lost one."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._model: Model | None = None
        self._answers: Generator[Prediction, None, None] | None = None

    def take(self, arrived: AbstractSet[Id]) -> Taken:
        """Return the next answers: those of :data:`TAKE_S` seconds, or fewer where no more rows are left.

        A worker that has just begun, or has answered all, asks the rows that have not ``arrived``. So whoever asks
        until all have arrived gets each, even if a worker or its answers are lost on the way.

        :class:`EdgeKitError`, with this node's name, where the bundle can't be opened or is another one here.
        """
        node, until = socket.gethostname(), time.monotonic() + TAKE_S
        if self._answers is None:
            try:
                self._answers = self._ask(arrived)
            except EdgeKitError as error:  # of this class, as others can't be sent from one process to another
                raise EdgeKitError(f"On {node}: {error.message}", f"{error.hint} {_SAME}".strip()) from error
        taken = Taken(node, [])
        for prediction in self._answers:
            taken.predictions.append(prediction)
            if time.monotonic() >= until:
                return taken
        self._answers = None
        return taken

    def _ask(self, arrived: AbstractSet[Id]) -> Generator[Prediction, None, None]:
        task = self._task
        self._model = self._model or _open(task)
        return predictions(self._model, task.subject.name, task.questions, arrived, rows=task.rows)


def _open(task: Task) -> Model:
    """Open the task's bundle; :class:`EdgeKitError` unless all is as it is for who asks."""
    if edgekit.__version__ != task.version:
        raise EdgeKitError(f"EdgeKit is {edgekit.__version__} here, and {task.version} where answers are asked for")
    use_threads(task.threads)
    model = task.subject.open(task.slots)
    if model.bundle.digest != task.subject.bundle.digest:
        raise EdgeKitError(f"{task.subject.bundle.path} is another bundle here than where answers are asked for")
    return model
