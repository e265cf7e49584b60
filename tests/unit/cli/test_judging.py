"""``edgekit evaluate --judge``: what is said before texts leave, what is shown after, and what is refused first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.judge.endpoint import KEY
from edgekit.evaluate.subjects import Subjects
from tests.fake_judge import Said, Status, fake_judge, in_turn
from tests.question_sets import conversation, conversation_rows, llava
from tests.toy_sets import ToySubject, toy_bundle

Run = Callable[..., int]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return conversation(tmp_path / "set")


@pytest.fixture(autouse=True)
def bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toys in the place of the bundles that are named."""

    def toys(paths: tuple[Path, ...]) -> Subjects:
        names = tuple(map(str, paths))
        return Subjects(names, lambda: (ToySubject(name, toy_bundle(context=400)) for name in names))

    monkeypatch.setattr("edgekit.evaluate.subjects.bundles_at", toys)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Run:
    """Have the answers of the bundle "a" judged by what listens at a URL."""
    out = str(tmp_path / "out.jsonl")
    arguments = ["evaluate", "a", "--data", str(data), "--split", "all", "--max-tokens", "3", "--out", out]
    return lambda url, *more: main([*arguments, "--judge", url, "--judge-model", "m", *more])


def test_answers_are_judged_and_not_judged_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(KEY, "sk-1")
    with fake_judge(in_turn(Said("8 6"), Said("10 5"), then=Said("Sorry, no."))) as judge:
        assert run(judge.url, "--json") == 0
        printed = capsys.readouterr()
        document = json.loads(printed.out)["judge"]
        leaving = f"Questions, captions and answers leave this machine for {judge.url}: 3 requests to m"
        assert leaving in printed.err
        assert printed.err.index(leaving) < printed.err.index("judging: done")
        assert {each["authorization"] for each in judge.headers} == {"Bearer sk-1"}
        assert run(judge.url) == 0
        printed = capsys.readouterr()
        assert len(judge.bodies) == 3
    assert leaving not in printed.err
    assert document["overall"]["percent"] == 62.5
    assert document["domains"] == {"chest_xray": {"percent": 62.5, "interval": None, "count": 2}}
    assert document["refused"] == [{"id": 2, "reason": "Sorry, no."}]
    assert document["tokens"] == {"prompt": 300, "completion": 21, "untold": 0}
    assert f"Judgements: {tmp_path / 'out.judgements.jsonl'}" in printed.out
    assert "sk-1" not in (tmp_path / "out.judgements.jsonl").read_text() + printed.out + printed.err


def test_anybody_s_answers_are_judged_too(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"question_id": row["question_id"], "text": "An effusion."} for row in conversation_rows()]
    predictions = tmp_path / "theirs.jsonl"
    predictions.write_text("\n".join(map(json.dumps, lines)))
    arguments = ["evaluate", "--predictions", str(predictions), "--data", str(data), "--split", "all"]
    with fake_judge(in_turn(then=Said("8 6"))) as judge:
        assert main([*arguments, "--judge", judge.url, "--judge-model", "m", "--judge-swap", "--json"]) == 0
        assert len(judge.bodies) == 6
    document: dict[str, Any] = json.loads(capsys.readouterr().out)["judge"]
    assert (document["swap"], document["overall"]["percent"], document["overall"]["count"]) == (True, 100, 3)
    assert (tmp_path / "theirs.judgements.jsonl").is_file()


def test_a_run_that_left_answers_unjudged_says_so_and_ends_with_1(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_judge(in_turn(Said("8 6"), then=Status(400))) as judge:
        assert run(judge.url, "--json") == 1
    printed = capsys.readouterr()
    assert "2 of 3 answers are not judged" in printed.err
    assert "No reply about 1: it refuses with 400: told" in printed.err
    assert [each["id"] for each in json.loads(printed.out)["judge"]["unjudged"]] == [1, 2]


def test_a_judge_that_lets_nobody_in_is_one_clear_error_and_answers_stay(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_judge(in_turn(then=Status(401))) as judge:
        assert run(judge.url) == 1
    assert f"Error: The judge at {judge.url} refuses with 401: told\n" in capsys.readouterr().err
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--judge", "http://a"], 2, "--judge-model"),
        (["--judge-model", "m"], 2, "--judge URL"),
        (["--judge-swap"], 2, "--judge URL"),
        (["--judge", "example.org", "--judge-model", "m"], 1, "is no endpoint's address"),
        (["--judge", "http://a", "--judge-model", "m", "--data", "{other}"], 1, "has no captions"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(
    arguments: list[str], code: int, said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = llava(tmp_path / "other")
    assert main(["evaluate", "a", "--judge", "http://a", "--judge-model", "m"]) == 2
    assert "say which conversation set" in capsys.readouterr().err
    words = ["evaluate", "a", "--data", str(data), "--split", "all", "--out", str(tmp_path / "out")]
    assert main([*words, *(word.format(other=other) for word in arguments)]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
