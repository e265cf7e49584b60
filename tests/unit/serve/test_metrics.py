"""The service's figures, read as Prometheus reads them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgekit.check.nightly import VARIABLE, Nightly, Part, not_done, write_nightly
from edgekit.errors import EngineError
from edgekit.runtime import Completion, SamplingParams
from edgekit.serve.answer import Answer, News, Order
from edgekit.serve.engine import EngineThread
from edgekit.serve.metrics import CONTENT_TYPE, FAILURES, Metrics
from tests.fake_engine import text_prompt


class Idle:
    """Stands for an engine's thread with three answers, one of which waits."""

    live = frozenset({1, 2, 3})
    waiting = (1,)


class Over:
    """Stands for an exchange that is over."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers


def answer(completion: Completion | None = None, error: EngineError | None = None) -> Answer:
    answer = Answer(Order(prompt=text_prompt("what?"), params=SamplingParams(), caller="ward"), News())
    answer.completion, answer.error = completion, error
    return answer


def completion(**fields: object) -> Completion:
    facts = {"prompt_tokens": 20, "reused_tokens": 5, "first_token_ms": 300.0, "tokens_per_s": 9.0, "seed": 1}
    return Completion(**({"text": "It", "ids": (7, 8), "reason": "stop"} | facts | fields))  # type: ignore[arg-type]


def figures(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Each sample's value by its name and its labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def metrics() -> Metrics:
    return Metrics(cast(EngineThread, Idle()))


def test_requests_are_counted_by_route_and_status() -> None:
    counted = metrics()
    for status, seconds in ((200, 0.2), (200, 2.0), (429, 0.001)):
        counted.note("/v1/chat/completions", status, seconds)
    values = figures(counted)
    assert values["edgekit_requests_total", "/v1/chat/completions", "200"] == 2
    assert values["edgekit_requests_total", "/v1/chat/completions", "429"] == 1
    assert values["edgekit_request_seconds_count", "/v1/chat/completions"] == 3
    assert values["edgekit_request_seconds_sum", "/v1/chat/completions"] == 2.201


def test_a_stream_that_failed_is_told_from_one_that_did_not() -> None:
    counted = metrics()
    for status, code in ((200, ""), (200, "answer_timeout"), (200, "answer_timeout"), (200, "engine_failed")):
        counted.note("/v1/chat/completions", status, 0.2, code)
    for status, code in ((404, "not_found"), (503, "queue_full"), (500, "")):
        counted.note("/v1/chat/completions", status, 0.2, code)
    values = figures(counted)
    assert values["edgekit_requests_total", "/v1/chat/completions", "200"] == 4
    failures = {key: value for key, value in values.items() if key[0] == "edgekit_stream_failures_total"}
    assert {key[1:]: value for key, value in failures.items()} == {
        ("answer_timeout", "/v1/chat/completions"): 2,
        ("engine_failed", "/v1/chat/completions"): 1,
    }


def test_what_the_service_failed_at_is_remembered_and_what_callers_did_wrong_is_not() -> None:
    counted = metrics()
    for status, code in ((200, ""), (404, "not_found"), (500, "internal_error"), (503, ""), (200, "queue_timeout")):
        counted.note("/", status, 0.1, code)
    assert [failure.code for failure in counted.failures] == ["internal_error", "status_503", "queue_timeout"]
    for number in range(2 * FAILURES):
        counted.note("/", 500, 0.1, f"code_{number}")
    assert len(counted.failures) == FAILURES


def test_answers_are_counted_by_how_they_ended() -> None:
    counted = metrics()
    cut = completion(reason="length", ids=(1,), first_token_ms=0.0)
    left = completion(reason="cancelled", ids=(), prompt_tokens=0, reused_tokens=0, first_token_ms=0.0)
    for ended in (answer(completion()), answer(cut), answer(left), answer(error=EngineError("broken", ""))):
        counted.count(ended)
    values = figures(counted)
    assert {key[1]: value for key, value in values.items() if key[0] == "edgekit_answers_total"} == {
        "stop": 1,
        "length": 1,
        "cancelled": 1,
        "error": 1,
    }
    assert values["edgekit_prompt_tokens_total",] == 40
    assert values["edgekit_reused_tokens_total",] == 10
    assert values["edgekit_answer_tokens_total",] == 3
    assert values["edgekit_first_token_seconds_count",] == 1
    assert values["edgekit_first_token_seconds_sum",] == 0.3


def test_who_waits_and_who_runs_is_looked_up_when_it_is_asked_for() -> None:
    values = figures(metrics())
    assert values["edgekit_waiting",] == 1
    assert values["edgekit_running",] == 2


def test_two_services_have_figures_of_their_own() -> None:
    one, other = metrics(), metrics()
    one.note("/", 200, 0.1)
    assert ("edgekit_requests_total", "/", "200") not in figures(other)
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_what_the_nightly_check_said_is_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = metrics()
    assert not [name for name in figures(counted) if "nightly" in name[0]], "it is no installed service"
    passed = Part(outcome="passed", at="1970-01-01T00:01:00.500Z")
    (tmp_path / "state").mkdir()
    (tmp_path / "current").symlink_to("releases/1")
    write_nightly(
        tmp_path / "state" / "checked", Nightly(release="1", files=passed, answers=not_done("no room", "at night"))
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path / "state" / "checked"))
    values = figures(counted)
    assert values["edgekit_nightly_check", "passed", "files"] == 1
    assert values["edgekit_nightly_check", "failed", "files"] == 0
    assert values["edgekit_nightly_check", "not_done", "answers"] == 1
    assert values["edgekit_nightly_check_timestamp_seconds", "files"] == 60.5
    assert values["edgekit_nightly_check_timestamp_seconds", "answers"] == 0, "no time"
