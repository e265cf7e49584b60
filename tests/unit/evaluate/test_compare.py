"""Bundles beside each other: their names, their slots, what a line of the file holds, and where it may lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import ConfigError
from edgekit.evaluate.compare import (
    Evaluated,
    document,
    evaluate_phantoms,
    require_writable,
    write_rows,
)
from edgekit.evaluate.phantoms import questions, score
from edgekit.evaluate.subjects import Subjects
from tests.toy_sets import ToySubject, toy_bundle

ASKED = questions(6)
RIGHT = score(ASKED, [asked.question.answer for asked in ASKED])
WRONG = score(ASKED, ["perhaps"] * 6)
Q4, Q8 = (Evaluated(name, name, 1000, name * 32, scores) for name, scores in (("q4", WRONG), ("q8", RIGHT)))


def test_one_bundle_is_in_memory_at_a_time_and_its_stages_bear_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    open_ones: list[str] = []

    class Counted(ToySubject):
        def open(self, slots: int | None) -> Any:
            return self._open(slots)

        @contextmanager
        def _open(self, slots: int | None) -> Iterator[Any]:
            assert not open_ones
            open_ones.append(f"{self.name} {slots}")
            with super().open(slots) as model:
                yield model
            open_ones.clear()

    subjects = Subjects(("a", "b"), lambda: iter([Counted("a", toy_bundle()), Counted("b", toy_bundle())]))
    heard: list[tuple[str, int, int]] = []
    evaluated = list(evaluate_phantoms(subjects, ASKED, 7, lambda *at: heard.append(at)))
    assert [(each.name, each.recipe, each.digest) for each in evaluated] == [
        ("a", "q4", "0" * 64),
        ("b", "q4", "0" * 64),
    ]
    assert evaluated[0].scores == evaluated[1].scores
    assert heard == [(f"answering ({name})", done, 6) for name in "ab" for done in range(7)]


def test_one_bundle_is_a_document_and_several_are_a_list() -> None:
    assert document([Q8]) == Q8.document()
    assert document([Q4, Q8]) == {"bundles": [Q4.document(), Q8.document()]}
    right, wrong = Q8.document()["right"], Q4.document()["right"]
    assert right["closed"]["percent"] == right["names_every_finding"]["percent"] == 100
    assert {share["right"] for share in wrong.values()} == {0}
    assert len(Q4.document()["rows"]) == 6


def test_a_line_is_a_question_of_a_bundle(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [Q4, Q8])
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [line["bundle"] for line in lines] == ["q4"] * 6 + ["q8"] * 6
    assert [line["right"] for line in lines] == [False] * 6 + [True] * 6
    assert lines[0]["question"] == ASKED[0].question.text


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_writable(tmp_path / "new" / "rows.jsonl")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be written") as refused:
        require_writable(tmp_path / "file" / "rows.jsonl")
    assert "--out" in refused.value.hint
    monkeypatch.setattr("os.access", lambda path, mode: False)  # for root, every folder can be written
    with pytest.raises(ConfigError, match="Permission denied"):
        require_writable(tmp_path / "rows.jsonl")
