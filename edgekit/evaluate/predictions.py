"""The file of predictions that an evaluation writes: resumed at the row, and in the end the same bytes in every run.

While bundles answer, a line is appended as each answer comes. A run that was ended, however, is gone on with by the
next, and one that asks other questions, or in another way, is refused: answers are never mixed. When all is answered,
the lines are put in their order: bundles as they were given, questions as the set has them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgekit.batch.line import Kind
from edgekit.batch.pictures import Unchanged
from edgekit.batch.results import Results, mixed, results
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.prediction import Prediction
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.item import Id

_WORDS = {
    "data": "other data",
    "split": "another split",
    "images": "other pictures",
    "sampling": "other options",
    "fingerprint": "another bundle",
}


def _key(prediction: Prediction) -> tuple[str, Id]:
    return prediction.model_id, prediction.question_id


def _error(prediction: Prediction) -> str | None:
    error: str | None = prediction.metadata["error"]
    return error


PREDICTIONS = Kind(Prediction, "predictions of EdgeKit's", key=_key, error=_error)


class PredictionsFile:
    """An open file of predictions; ``path`` is where it lies."""

    def __init__(self, written: Results[Prediction], questions: QuestionSet) -> None:
        self.path = written.path
        self._written = written
        self._questions = questions

    def add(self, prediction: Prediction) -> None:
        """Write a line; :class:`~edgekit.errors.EdgeKitError` where the disk is full."""
        self._written.add(prediction)

    def answered(self, name: str, fingerprint: str) -> set[Hashable]:
        """Return the ids of the questions that the bundle ``name`` has answered.

        :class:`~edgekit.errors.InputError` where another bundle of that name did.
        """
        held = [line for line in self._written.answered.values() if line.model_id == name]
        other = next((line for line in held if line.metadata.get("fingerprint") != fingerprint), None)
        if other is not None:
            raise mixed(self.path, f"an answer to {other.question_id!r} of another bundle called {name!r}")
        return {line.question_id for line in held}

    def of(self, name: str) -> tuple[Prediction, ...]:
        """Return what came of the questions that the bundle ``name`` was asked, in the set's order."""
        keys = ((name, item.id) for item in self._questions.dataset.items)
        return tuple(self._written.lines[key] for key in keys if key in self._written.lines)

    def arrange(self, names: Sequence[str]) -> None:
        """Put the lines in their order, when each of the bundles ``names`` has been asked."""
        self._written.arrange(_key(line) for name in dict.fromkeys(names) for line in self.of(name))


@contextmanager
def predictions_file(path: Path, questions: QuestionSet, names: Sequence[str]) -> Iterator[PredictionsFile]:
    """Open a file of predictions, or make it, for the bundles ``names``.

    :class:`~edgekit.errors.InputError`, before anything is asked, where it holds answers of others, to other questions,
    about other pictures or by other options, where it is no such file, or another process writes it.
    """
    with results(path, PREDICTIONS, _same(path, questions, names)) as written:
        yield PredictionsFile(written, questions)


def default_out(dataset: Dataset) -> Path:
    """Return where predictions go unless somebody says otherwise: here, called after the set."""
    return Path(f"{dataset.form}-{dataset.split}.predictions.jsonl")


def _same(path: Path, questions: QuestionSet, names: Sequence[str]) -> Callable[[Prediction], None]:
    """What refuses an answer that is not to what would be asked now."""
    rows = {row.id: row for row in questions.rows}
    unchanged = Unchanged(questions.pictures)

    def require(line: Prediction) -> None:
        answer = f"an answer to {line.question_id!r}"
        row = rows.get(line.question_id)
        if line.model_id not in names:
            raise mixed(path, f"{answer} of {line.model_id!r}, which is not asked")
        now = {} if row is None else questions.asked(row, line.metadata.get("fingerprint", ""))
        different = next((name for name in _WORDS if now and line.metadata.get(name) != now[name]), None)
        if row is None or different == "data":
            raise mixed(path, f"answers to other data than {questions.dataset.source} ({questions.dataset.split})")
        if different is not None or line.prompt != row.question:
            raise mixed(path, f"{answer} of {_WORDS[different] if different else 'another question'}")
        if not unchanged(row, line.metadata.get("sha256", ())):
            raise mixed(path, f"{answer} about a picture that has changed since")

    return require
