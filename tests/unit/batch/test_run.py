"""A list from its beginning, or from where it stopped: nothing is asked twice, and nothing is mixed."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.batch.answer import Answer
from edgekit.batch.pictures import digest, read_files
from edgekit.batch.rows import Batch, Row
from edgekit.batch.run import run
from edgekit.errors import EdgeKitError, InputError
from edgekit.runtime import SamplingParams

PARAMS = SamplingParams(max_tokens=9, seed=1, stop=("x",))


class Echo:
    """Answers with the question; stops after so many, closed or not."""

    def __init__(self, model: str = "echo", fingerprint: str | None = None, until: int | None = None) -> None:
        self.model, self.fingerprint, self._until = model, fingerprint, until
        self.asked: list[Any] = []
        self.closed = False

    def answers(self, rows: Sequence[Row], params: SamplingParams) -> Generator[tuple[Row, Answer], None, None]:
        try:
            for number, row in enumerate(rows):
                if number == self._until:
                    raise EdgeKitError("No more today", "Come back.")
                self.asked.append(row.id)
                try:
                    digests = tuple(map(digest, read_files(row)))
                except InputError as error:
                    yield row, Answer(error=error.message)
                else:
                    yield row, Answer(sha256=digests, text=row.question, reason="stop", tokens=2, seed=params.seed)
        finally:
            self.closed = True


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "list.jsonl").touch()
    images: tuple[tuple[str, ...], ...] = (("a.png",), (), ("b.png",), ("a.png",))
    rows = (Row(number, f"Q{number}", images_, tmp_path) for number, images_ in enumerate(images))
    return Batch(tmp_path / "list.jsonl", tuple(rows))


def lines(batch: Batch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in batch.out.read_text().splitlines()]


def test_a_line_says_what_was_asked_and_what_came_of_it(batch: Batch) -> None:
    told: list[tuple[int, int]] = []
    summary = run(batch, Echo(), PARAMS, progress=lambda stage, done, total: told.append((done, total)))
    assert told == [(done, 4) for done in range(5)]
    document = summary.document()
    assert document.pop("seconds") >= 0
    assert document == {
        "out": str(batch.out), "model": "echo", "fingerprint": None, "rows": 4, "answered": 3, "answered_before": 0,
        "failed": 1, "tokens": 6,
    }  # fmt: skip
    first, _, _, lost = lines(batch)
    assert first == {
        "id": 0, "question": "Q0", "images": ["a.png"], "sha256": [digest(b"a")], "model": "echo", "fingerprint": None,
        "sampling": {
            "max_tokens": 9, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0,
            "seed": 1, "stop": ["x"],
        },
        "text": "Q0", "reason": "stop", "tokens": 2, "seed": 1, "notes": [], "error": None,
    }  # fmt: skip
    assert (lost["id"], lost["text"], lost["error"]) == (2, None, "There is no file b.png")


def test_a_run_that_stopped_is_gone_on_with(batch: Batch) -> None:
    stopped = Echo(until=2)
    with pytest.raises(EdgeKitError, match="No more today"):
        run(batch, stopped, PARAMS)
    assert stopped.closed
    second = Echo()
    summary = run(batch, second, PARAMS)
    assert (stopped.asked, second.asked) == ([0, 3], [1, 2])  # neighbours by their picture first
    assert (summary.answered, summary.answered_before, summary.failed, summary.tokens) == (3, 2, 1, 2)


def test_rows_without_an_answer_are_asked_again_and_have_one_line(batch: Batch) -> None:
    run(batch, Echo(), PARAMS)
    (batch.source.parent / "b.png").write_bytes(b"b")
    again = Echo()
    summary = run(batch, again, PARAMS)
    assert (again.asked, summary.failed) == ([2], 0)
    assert sorted(line["id"] for line in lines(batch)) == [0, 1, 2, 3]
    assert run(batch, Echo(until=0), PARAMS).answered_before == 4


def test_a_row_may_be_corrected_that_has_no_answer_yet(batch: Batch) -> None:
    run(batch, Echo(), PARAMS)
    rows = (*batch.rows[:2], replace(batch.rows[2], images=("a.png",)), batch.rows[3])
    assert run(replace(batch, rows=rows), Echo(), PARAMS).failed == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: replace(row, question="Another?"), "an answer to 0 of another question"),
        (lambda row: replace(row, images=()), "an answer to 0 of other pictures"),
        (lambda row: replace(row, id="0"), "an answer to 0, which .*list.jsonl doesn't ask"),
    ],
)
def test_another_question_under_the_same_id_is_refused(change: Any, message: str, batch: Batch) -> None:
    run(batch, Echo(), PARAMS)
    before, other = batch.out.read_bytes(), Echo()
    with pytest.raises(InputError, match=message):
        run(replace(batch, rows=(change(batch.rows[0]), *batch.rows[1:])), other, PARAMS)
    assert batch.out.read_bytes() == before
    assert not other.asked


@pytest.mark.parametrize(
    ("answerer", "params", "message"),
    [
        (Echo("other"), PARAMS, "of another model"),
        (Echo(fingerprint="edgekit-0"), PARAMS, "of another bundle"),
        (Echo(), replace(PARAMS, max_tokens=10), "of other options"),
        (Echo(), replace(PARAMS, seed=None), "of other options"),
    ],
)
def test_answers_of_another_kind_are_not_mixed(
    answerer: Echo, params: SamplingParams, message: str, batch: Batch
) -> None:
    run(batch, Echo(), PARAMS)
    with pytest.raises(InputError, match=message) as caught:
        run(batch, answerer, params)
    assert "--out" in caught.value.hint
    assert not answerer.asked


def test_a_picture_that_changed_is_seen_and_one_that_was_taken_away_changes_nothing(batch: Batch) -> None:
    run(batch, Echo(), PARAMS)
    (batch.source.parent / "a.png").unlink()
    assert run(batch, Echo(), PARAMS).answered_before == 3
    (batch.source.parent / "a.png").write_bytes(b"other")
    with pytest.raises(InputError, match="about a picture that has changed"):
        run(batch, Echo(), PARAMS)


def test_the_list_itself_is_not_written_to(batch: Batch) -> None:
    with pytest.raises(InputError, match="is the list itself"):
        run(batch, Echo(), PARAMS, batch.source)
