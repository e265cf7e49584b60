"""Bundles beside each other: their names, their slots, what a line of the file holds, and where it may lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.errors import BundleError, ConfigError
from edgekit.evaluate import compare
from edgekit.evaluate.compare import (
    Evaluated,
    document,
    evaluate_bundles,
    evaluate_recipes,
    require_writable,
    write_rows,
)
from edgekit.evaluate.phantoms import questions, score
from edgekit.recipe import recipe
from edgekit.target import target
from tests.specs import manifest_alone

ASKED = questions(6)
RIGHT = score(ASKED, [asked.question.answer for asked in ASKED])
WRONG = score(ASKED, ["perhaps"] * 6)
Q4, Q8 = (Evaluated(name, name, 1000, name * 32, scores) for name, scores in (("q4", WRONG), ("q8", RIGHT)))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which models were opened with how many slots; at most one at a time."""
    calls: list[tuple[str, int]] = []
    open_ones: list[Path] = []

    @contextmanager
    def open_model(path: Path, slots: int) -> Iterator[SimpleNamespace]:
        assert not open_ones
        open_ones.append(path)
        calls.append((path.name, slots))
        yield SimpleNamespace()
        open_ones.remove(path)

    def evaluate(model: object, asked: object, progress: Any) -> object:
        progress("answering", 1, 6)
        return RIGHT

    monkeypatch.setattr(compare, "Model", SimpleNamespace(open=open_model))
    monkeypatch.setattr(compare, "evaluate", evaluate)
    return calls


def test_each_has_its_folder_s_name_and_its_path_where_two_are_called_alike(
    tmp_path: Path, opened: list[tuple[str, int]]
) -> None:
    (tmp_path / "x").mkdir()
    paths = [manifest_alone(tmp_path / name).path for name in ("a", "b", "x/a")]
    heard: list[tuple[str, int, int]] = []
    evaluated = list(evaluate_bundles(paths, ASKED, None, lambda *at: heard.append(at)))
    assert [each.name for each in evaluated] == [str(paths[0]), "b", str(paths[2])]
    assert heard[1] == ("answering (b)", 1, 6)
    assert opened == [(name, target("cpu").slots) for name in ("a", "b", "a")]


def test_slots_that_are_asked_for_are_taken(tmp_path: Path, opened: list[tuple[str, int]]) -> None:
    list(evaluate_bundles([manifest_alone(tmp_path / "a").path], ASKED, 7))
    assert opened == [("a", 7)]


def test_the_last_one_s_faults_show_before_the_first_one_s_work(tmp_path: Path, opened: list[tuple[str, int]]) -> None:
    with pytest.raises(BundleError, match="none"):
        next(evaluate_bundles([manifest_alone(tmp_path / "a").path, tmp_path / "none"], ASKED, None))
    assert not opened


def test_recipes_are_built_one_at_a_time_where_nothing_stays(
    tmp_path: Path, opened: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    built: list[Path] = []

    def build(checkpoint: Path, chosen: object, by: Any, out: Path) -> SimpleNamespace:
        assert not [path for path in built if path.exists()]
        built.append(out)
        return SimpleNamespace(bundle=manifest_alone(out, recipe=by))

    monkeypatch.setattr(compare, "build", build)
    evaluated = evaluate_recipes(Path("c"), [recipe("q8"), recipe("q4")], target("cpu"), ASKED, None)
    assert [(each.name, each.recipe) for each in evaluated] == [("q8", "q8"), ("q4", "q4")]
    assert len(built) == 2
    assert not list(tmp_path.iterdir())


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
