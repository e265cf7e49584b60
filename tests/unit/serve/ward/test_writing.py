"""Answers that go on by themselves: how each way of ending is stored, and that a service's end stores what there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edgekit.serve.refusal import Refusal
from edgekit.serve.ward import writing
from edgekit.serve.ward.writing import Outcome
from tests.asgi import on_loop, until
from tests.browser import Browser, end_of, text_of, told
from tests.toy_service import TEXT, Talking, toy


@pytest.mark.parametrize(
    ("failure", "state", "notes"),
    [
        (None, "whole", ("n",)),
        (Refusal(409, "stopped", "answer_stopped"), "stopped", ("n",)),
        (Refusal(503, "The service stopped.", "service_stopping"), "stopped", ("n", "The service stopped.")),
        (Refusal(504, "Too late.", "answer_timeout"), "failed", ("n", "Too late.")),
        (Refusal(503, "It failed.", "service_failed"), "failed", ("n", "It failed.")),
    ],
)
def test_an_answer_is_whole_or_stopped_or_failed(failure: Refusal | None, state: str, notes: tuple[str, ...]) -> None:
    class Ended:
        notes = ("n",)
        answers = (type("Answer", (), {"deltas": [], "completion": None})(),)

        def failure(self) -> Refusal | None:
            return failure

    exchange: Any = Ended()
    outcome = Outcome.of(exchange)
    assert (outcome.state, outcome.notes) == (state, notes)


@on_loop
async def test_a_service_that_ends_stores_what_was_written(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        engine.let(6)
        await until(lambda: len(text_of(call)) > 3)
        closing = asyncio.create_task(running.desk.writing.close())
        await asyncio.sleep(0.02)
        engine.let(1)
        await closing
        await call.done()
        ended = end_of(call)
        assert (ended["state"], ended["notes"]) == ("stopped", ["The service stopped before the answer was whole."])
    async with toy(state=state) as running:
        (turn,) = (await Browser(running.app).get(path)).json()["turns"]
        assert turn == ended
        assert TEXT.startswith(turn["answer"])
        assert turn["answer"]


@on_loop
async def test_an_engine_that_is_stuck_holds_up_no_end(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "CLOSE_S", 0.05)
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        await until(lambda: call.body)
        await running.desk.writing.close()
        call.task.cancel()
        await until(lambda: running.desk.writing.in_conversation(path.rpartition("/")[2]) is None)
    async with toy(state=state) as running:
        (turn,) = (await Browser(running.app).get(path)).json()["turns"]
        assert turn["state"] == "failed"


@on_loop
async def test_an_answer_that_takes_too_long_fails_with_what_was_written(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state, answer_s=0.2) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        engine.let(6)
        await call.done()
        assert told(call)[-1][1]["code"] == "answer_timeout"
        (turn,) = (await page.get(path)).json()["turns"]
        assert turn["state"] == "failed"
        assert turn["answer"] == text_of(call) != ""
