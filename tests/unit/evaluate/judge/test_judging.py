"""Answers judged by an endpoint that does all that endpoints do: nothing is asked twice, counted twice or made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.evaluate.judge.endpoint import Endpoint
from edgekit.evaluate.judge.figures import Figure, figures_of
from edgekit.evaluate.judge.judged import Judged
from edgekit.evaluate.judge.judging import SILENT, Judging, judge_answers
from edgekit.vqa.dataset import Dataset
from edgekit.vqa.read import read
from tests import question_sets
from tests.fake_judge import Cut, Late, Said, Status, Step, answers_in, fake_judge, in_turn

COUNT = 18
OURS = "ours"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """As many questions as are needed, the references' answers told apart by their number."""
    file = question_sets.conversation(tmp_path / "set")
    row = question_sets.conversation_rows()[0]
    rows = [{**row, "question_id": number, "gpt4_answer": f"reference {number}"} for number in range(COUNT)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return read(file, "all")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.judgements.jsonl"


@contextmanager
def judging(
    url: str, dataset: Dataset, *, swap: bool = False, model: str = "m", timeout_s: float = 20.0
) -> Iterator[Judging]:
    with closing(Endpoint(url, model, timeout_s=timeout_s, retries=1)) as endpoint:
        yield Judging(judge=endpoint, dataset=dataset, figures=figures_of(dataset), swap=swap)


def judge(url: str, dataset: Dataset, path: Path, *, swap: bool = False, timeout_s: float = 20.0) -> Judged:
    with judging(url, dataset, swap=swap, timeout_s=timeout_s) as each:
        return judge_answers(each, {"a": texts(dataset)}, path)["a"]


def texts(dataset: Dataset, by: str = OURS) -> dict[str | int, str]:
    return {item.id: f"{by} {item.id}" for item in dataset.items}


def number_of(prompt: str) -> int:
    return int(answers_in(prompt)[0].split()[-1])


def by_number(steps: dict[int, Step], then: Step = Said("8 6")) -> Callable[[int, str], Step]:  # noqa: B008
    """A script by the question that is asked about, not by when."""
    return lambda _, prompt: steps.get(number_of(prompt), then)


EVERY: dict[int, Step] = {
    0: Said("I'm sorry, but I can't."),
    1: Said(None, refusal="I won't."),
    2: Said("", finish="content_filter"),
    3: Status(400, b'{"error": {"message": "filtered", "code": "content_filter"}}'),
    4: Said("The first is better."),
    5: Said("8"),
    6: Said("11 6"),
    7: Said("0 6"),
    8: Said(None),
    9: Said("8 6\nSo.", usage=None),
    10: Status(500),
    11: Status(429),
    12: Late(3),
    13: Cut(),
    14: Status(200, b"<html>", "text/html"),
    15: Said("10 5"),
}


def test_each_answer_is_scored_or_listed_with_the_reason_why_not(dataset: Dataset, path: Path) -> None:
    with fake_judge(by_number(EVERY)) as endpoint:
        judged = judge(endpoint.url, dataset, path, timeout_s=1.0)
    assert [row.id for row in judged.refused] == [0, 1, 2, 3]
    assert [row.id for row in judged.unparseable] == [4, 5, 6, 7, 8]
    assert [row.id for row in judged.unjudged] == [10, 11, 12, 13, 14]
    assert judged.scores == {9: 75, 15: 50} | dict.fromkeys(range(16, COUNT), 75)
    assert all(row.reason for row in (*judged.refused, *judged.unparseable, *judged.unjudged))
    replies = COUNT - 5  # of which two tell no cost: the filter's, and number 9
    assert judged.tokens.prompt == 100 * (replies - 2)
    assert (judged.tokens.completion, judged.tokens.untold) == (7 * (replies - 2), 2)
    assert len(endpoint.bodies) == COUNT + 4  # the client's one retry of 500, 429, late and cut


def test_what_has_no_reply_is_asked_again_by_the_next_run_and_nothing_else(dataset: Dataset, path: Path) -> None:
    with fake_judge(by_number(EVERY)) as endpoint:
        judge(endpoint.url, dataset, path, timeout_s=1.0)
        before = len(endpoint.bodies)
        again = judge(endpoint.url, dataset, path, timeout_s=1.0)
        assert {number_of(prompt) for prompt in endpoint.prompts[before:]} == {10, 11, 12, 13, 14}
    assert path.read_bytes().count(b"\n") == COUNT - 5
    with fake_judge(in_turn(then=Said("8 6"))) as other:
        assert judge(other.url, dataset, path).scores.keys() == set(range(COUNT))  # another judge
    assert again.scores.keys() == {9, *range(15, COUNT)}


def test_a_judge_s_replies_are_those_to_this_question_and_this_answer(dataset: Dataset, path: Path) -> None:
    with fake_judge(in_turn(then=Said("8 6"))) as endpoint, judging(endpoint.url, dataset) as each:
        same = texts(dataset)
        first = judge_answers(each, {"a": same, "b": same}, path)
        assert len(endpoint.bodies) == COUNT
        assert first["a"] == first["b"]
        judge_answers(each, {"c": same | {3: "another"}}, path)
        assert [answers_in(prompt) for prompt in endpoint.prompts[COUNT:]] == [("reference 3", "another")]
        judge_answers(each, {"a": same}, path)
        with judging(endpoint.url, dataset, model="n") as other:
            judge_answers(other, {"a": same}, path)
        assert len(endpoint.bodies) == 2 * COUNT + 1


def test_a_swap_asks_both_orders_and_evens_out_a_judge_that_prefers_the_first(dataset: Dataset, path: Path) -> None:
    with fake_judge(in_turn(then=Said("10 5"))) as endpoint:
        plain = judge(endpoint.url, dataset, path)
        swapped = judge(endpoint.url, dataset, path, swap=True)
        assert len(endpoint.bodies) == 2 * COUNT
    assert set(plain.scores.values()) == {50}
    assert set(swapped.scores.values()) == {100}
    orders = {answers_in(prompt)[0].split()[0] for prompt in endpoint.prompts[COUNT:]}
    assert orders == {OURS}
    assert (plain.tokens.prompt, swapped.tokens.prompt) == (100 * COUNT, 200 * COUNT)


@pytest.mark.parametrize("step", [Status(500), Cut(), Status(200, b"no JSON", "text/html")])
def test_an_endpoint_that_is_gone_ends_the_run_and_what_was_judged_stays(
    dataset: Dataset, path: Path, step: Step
) -> None:
    with fake_judge(lambda number, _: Said("8 6") if number < 3 else step) as endpoint:
        with pytest.raises(EdgeKitError, match=f"no reply to {SILENT} requests in a row"):
            judge(endpoint.url, dataset, path)
        assert len({number_of(prompt) for prompt in endpoint.prompts}) == 3 + SILENT
    assert path.read_bytes().count(b"\n") == 3


def test_silence_counts_in_a_row(dataset: Dataset, path: Path) -> None:
    gone = {number: Status(400) for number in range(COUNT) if number % SILENT != SILENT - 1}
    with fake_judge(by_number({**gone})) as endpoint:
        judged = judge(endpoint.url, dataset, path)
    assert len(judged.unjudged) == len(gone)
    assert len(judged.scores) == COUNT - len(gone)


def test_what_can_t_be_judged_is_not_sent(dataset: Dataset, path: Path) -> None:
    figures = figures_of(dataset) | {1: Figure("")}
    answers = {key: text for key, text in texts(dataset).items() if key != 0} | {2: ""}
    with fake_judge(in_turn(then=Said("8 6"))) as endpoint, closing(Endpoint(endpoint.url, "m")) as asked:
        each = Judging(judge=asked, dataset=dataset, figures=figures)
        judged = judge_answers(each, {"a": answers}, path)["a"]
        assert len(endpoint.bodies) == COUNT - 2
    assert {row.id: row.reason for row in judged.unjudged} == {
        0: "it has no answer", 1: "its row says nothing of its figure",
    }  # fmt: skip
    assert answers_in(endpoint.prompts[0])[1] == "(none)"  # an empty answer is one, and judged


def test_what_leaves_this_machine_is_told_before_it_does_and_progress_goes_on(dataset: Dataset, path: Path) -> None:
    told: list[tuple[str, int]] = []
    shown: list[tuple[str, int, int]] = []
    with (
        fake_judge(lambda number, _: Status(401) if number == 2 else Said("8 6")) as endpoint,
        judging(endpoint.url, dataset) as each,
    ):

        def run() -> None:
            judge_answers(
                each,
                {"a": texts(dataset)},
                path,
                lambda text: told.append((text, len(endpoint.bodies))),
                lambda *step: shown.append(step),
            )

        with pytest.raises(EdgeKitError, match="401"):
            run()
        leaving = f"Questions, captions and answers leave this machine for {endpoint.url}"
        assert told == [(f"{leaving}: {COUNT} requests to m", 0)]
        assert (shown.pop(), shown.pop()) == (("judging", 2, COUNT), ("judging", 1, COUNT))
        run()
        assert told.pop() == (f"{leaving}: {COUNT - 2} requests to m", 3)
        assert (shown[1], shown[-1]) == (("judging", 2, COUNT), ("judging", COUNT, COUNT))
        run()
    assert (len(told), len(endpoint.bodies)) == (1, COUNT + 1)


KILLED = """
import sys
from pathlib import Path
from edgekit.evaluate.judge.endpoint import Endpoint
from edgekit.evaluate.judge.figures import figures_of
from edgekit.evaluate.judge.judging import Judging, judge_answers
from edgekit.vqa.read import read
url, file, path = sys.argv[1:]
dataset = read(Path(file), "all")
judging = Judging(judge=Endpoint(url, "m"), dataset=dataset, figures=figures_of(dataset))
judge_answers(judging, {"a": {item.id: f"ours {item.id}" for item in dataset.items}}, Path(path))
"""


def test_a_killed_run_goes_on_without_a_second_request_for_what_is_judged(dataset: Dataset, path: Path) -> None:
    run: list[subprocess.Popen[bytes]] = []

    def script(number: int, _: str) -> Step:
        if number == 10:
            run[0].kill()
            run[0].wait()
        return Said("8 6")

    with fake_judge(script) as endpoint:
        arguments = [sys.executable, "-c", KILLED, endpoint.url, str(dataset.source), str(path)]
        run.append(subprocess.Popen(arguments, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}))
        assert run[0].wait(60) != 0
        assert path.read_bytes().count(b"\n") == 10
        judged = judge(endpoint.url, dataset, path)
        asked = [number_of(prompt) for prompt in endpoint.prompts]
    assert asked == [*range(11), *range(10, COUNT)]  # the one in flight is asked again
    assert (len(judged.scores), judged.tokens.prompt) == (COUNT, 100 * COUNT)
