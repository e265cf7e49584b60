"""``edgekit evaluate``: whom it asks what, and what it refuses before minutes of asking."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.answered import Answered
from edgekit.evaluate.compare import Evaluated
from edgekit.evaluate.on_set import evaluate_set
from edgekit.evaluate.phantoms import questions, score
from edgekit.evaluate.subjects import Subject, Subjects
from edgekit.phantom.embedded import embedded
from edgekit.target import target
from tests.question_sets import PUBLIC, slake, vqa_rad, vqa_rad_rows
from tests.toy_sets import ToySubject, toy_bundle

ASKED = questions(6)
SCORES = score(ASKED, [asked.question.answer for asked in ASKED])
ROWS = [row for row in vqa_rad_rows() if row["phrase_type"].startswith("test")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Who was asked about phantoms: names, how many questions, slots."""
    calls: list[Any] = []

    def bundles(paths: Any) -> Subjects:
        names = tuple(map(str, paths))
        return Subjects(names, lambda: map(_subject, names))

    def recipes(checkpoint: Path, by: Any, chosen: object) -> Subjects:
        calls.append((checkpoint, chosen))
        names = tuple(recipe.name for recipe in by)
        return Subjects(names, lambda: map(_subject, names))

    def phantoms(subjects: Subjects, asked: Any, slots: Any, progress: object) -> Iterator[Evaluated]:
        calls.append((list(subjects.names), len(asked), slots))
        return (Evaluated(name, "q4", 1, "d", SCORES) for name in subjects.names)

    monkeypatch.setattr("edgekit.evaluate.subjects.bundles_at", bundles)
    monkeypatch.setattr("edgekit.evaluate.subjects.built", recipes)
    monkeypatch.setattr("edgekit.evaluate.compare.evaluate_phantoms", phantoms)
    return calls


def _subject(name: str) -> Subject:
    return ToySubject(name, toy_bundle(context=400))


@pytest.fixture
def rad(tmp_path: Path) -> Path:
    return vqa_rad(tmp_path / "vqa")


def test_bundles_are_asked_all_questions_in_their_target_s_slots(asked: list[Any], tmp_path: Path) -> None:
    assert main(["evaluate", "a", "b"]) == 0
    assert main(["evaluate", "a", "--questions", "6", "--slots", "3", "--out", str(tmp_path / "rows")]) == 0
    assert asked == [(["a", "b"], 2400, None), (["a"], 6, 3)]
    assert {json.loads(line)["bundle"] for line in (tmp_path / "rows").read_text().splitlines()} == {"a"}


def test_without_bundles_the_embedded_model_is_asked_by_each_recipe(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--questions", "6"]) == 0
    assert main(["evaluate", "--recipe", "q8", "--questions", "6", "--json"]) == 0
    assert asked == [
        (embedded(), target("cpu")),
        (["fp32", "fp16", "q8", "q4"], 6, None),
        (embedded(), target("cpu")),
        (["q8"], 6, None),
    ]
    out = capsys.readouterr().out
    assert json.loads(out[out.index("\n{") :])["name"] == "q8"


def test_a_set_is_asked_and_its_answers_lie_here(
    asked: list[Any], rad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = ["evaluate", "a", "b", "--data", str(rad), "--split", "test", "--max-tokens", "5", "--json"]
    assert main(wanted) == 0
    both = json.loads(capsys.readouterr().out)["bundles"]
    assert [one["name"] for one in both] == ["a", "b"]
    assert [row["id"] for row in both[0]["rows"]] == [row["qid"] for row in ROWS]
    lines = (tmp_path / "vqa-rad-test.predictions.jsonl").read_text().splitlines()
    assert [(row["model_id"], row["metadata"]["sampling"]["max_tokens"]) for row in map(json.loads, lines)] == [
        (name, 5) for name in "ab" for _ in ROWS
    ]
    assert main([*wanted[:-1], "--out", "vqa-rad-test.predictions.jsonl"]) == 0
    assert "Answers: vqa-rad-test.predictions.jsonl" in capsys.readouterr().out


def test_a_cluster_is_asked_where_one_is_named(
    asked: list[Any], rad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named: list[str] = []

    def evaluate(on: str, *given: Any) -> list[Answered]:
        named.append(on)
        return evaluate_set(*given)

    monkeypatch.setattr("edgekit.evaluate.on_ray.evaluate_on_ray", evaluate)
    wanted = ["evaluate", "a", "--data", str(rad), "--split", "test", "--max-tokens", "3", "--json"]
    documents = []
    for place in ([], ["--on", "ray"], ["--on", "ray://node:10001"]):
        assert main([*wanted, *place, "--out", str(tmp_path / f"{len(place)}{place[-1:] == ['ray']}.jsonl")]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert named == ["ray", "ray://node:10001"]
    assert documents[0] == documents[1] == documents[2]


def test_the_embedded_model_is_asked_a_set_too(asked: list[Any], rad: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ["--data", str(rad), "--split", "test", "--max-tokens", "3", "--out", str(out)]
    assert main(["evaluate", "--recipe", "q4", *arguments]) == 0
    assert {json.loads(line)["model_id"] for line in out.read_text().splitlines()} == {"q4"}


def test_what_of_a_set_is_not_asked_is_named_and_what_failed_ends_in_an_error(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = slake(tmp_path / "slake")
    rows = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps([*rows, {**rows[0], "qid": 7, "img_name": "xmlab9/source.jpg"}]))
    arguments = ["--data", str(file), "--split", "test", "--max-tokens", "3", "--out", str(tmp_path / "out.jsonl")]
    assert main(["evaluate", "a", *arguments]) == 0
    err = capsys.readouterr().err
    assert "SLAKE (slake), test: 2 questions" in err
    assert "Not asked, 7: there is no picture" in err
    assert "1 rows are not asked" in err
    (tmp_path / "slake/imgs/xmlab1/source.jpg").write_bytes(b"no picture")
    (tmp_path / "out.jsonl").unlink()
    assert main(["evaluate", "a", "--json", *arguments]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["data"]["failed"] == 2
    assert "2 of 2 questions have no answer" in printed.err


def test_anybody_s_answers_are_scored_without_pictures(
    rad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in (rad.parent / "images").iterdir():
        picture.unlink()
    rows = [{"question_id": row["qid"], "text": str(row["answer"]).upper()} for row in ROWS]
    (tmp_path / "theirs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[1:]))
    arguments = ["evaluate", "--predictions", str(tmp_path / "theirs.jsonl"), "--data", str(rad), "--split", "test"]
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["closed"], document["data"]["failed"]) == ({"paper": 100, "llava_med": 0}, 1)
    assert f"count as wrong: '{ROWS[0]['qid']}'" in printed.err
    assert main(arguments) == 0
    assert "closed (paper) (1)" in capsys.readouterr().out


def test_without_scipy_nothing_is_asked(
    asked: list[Any], rad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert main(["evaluate", "a", "--data", str(rad), "--split", "test"]) == 1
    err = capsys.readouterr().err
    assert "pip install 'edgekit[evaluate]'" in err
    assert "answering" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a", "--recipe", "q4"], 2, "--recipe is for the embedded model"),
        (["a", "--questions", "0"], 2, "--questions"),
        (["--recipe", "q5"], 1, "no recipe called 'q5'"),
        (["--calibrate-confidence"], 2, "name the BUNDLE"),
        (["{set}", "--calibrate-confidence"], 1, "is not a bundle"),
        (["--predictions", "{file}", "--calibrate-confidence"], 2, "name the BUNDLE"),
        (["a", "--out", "{file}/rows"], 1, "can't be written"),
        (["a", "--split", "test"], 2, "--split is for a set"),
        (["a", "--max-tokens", "9"], 2, "--max-tokens is for a set"),
        (["a", "--on", "ray"], 2, "--on is for a set"),
        (["--on", "ray", "--data", "{set}", "--split", "test"], 2, "--on needs a BUNDLE"),
        (["a", "--on", "dask", "--data", "{set}", "--split", "test"], 2, "give ray or ray://HOST:PORT"),
        (["a", "--data", "{set}"], 2, "--split"),
        (["a", "--data", "{set}", "--split", "test", "--questions", "3"], 2, "--questions is for phantoms"),
        (["a", "--data", "{set}/none", "--split", "test"], 1, "There is no file or folder"),
        (["a", "--predictions", "{file}"], 2, "--predictions is scored without asking"),
        (["--predictions", "{file}"], 2, "say which set --predictions answers"),
        (["--predictions", "{file}", "--slots", "2", "--data", "{set}", "--split", "test"], 2, "--slots is for asking"),
        (["--predictions", "{file}", "--data", "{set}", "--split", "test"], 1, "is empty"),
        (["--predictions", "{file}2", "--data", "{set}", "--split", "test"], 1, "can't be read"),
        (["a", "--data", "{set}", "--split", "validation"], 1, "has no row of the split 'validation'"),
        (["a", "--data", "{set}", "--split", "test", "--images", "{set}/none"], 1, "There is no folder"),
        (["a", "--data", "{set}", "--split", "test", "--out", "{set}/{public}"], 1, "holds no predictions"),
        (["a", "--data", "{set}", "--split", "test", "--out", "{file}/out"], 1, "can't be written"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    arguments: list[str],
    code: int,
    said: str,
    asked: list[Any],
    rad: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    places = {"file": tmp_path / "file", "set": rad.parent, "public": PUBLIC}
    assert main(["evaluate", *(word.format(**places) for word in arguments)]) == code
    err = capsys.readouterr().err
    assert said in err
    assert "answering" not in err
    assert not asked
