"""Questions asked on a toy engine: durable before they are answered, read as they are written, taken up, stopped."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import DiskFull
from edgekit.serve import engine as engines
from edgekit.serve import exchange as exchanges
from edgekit.serve.answer import Answer, News, Order
from edgekit.serve.settings import Keep, Settings
from edgekit.serve.ward import writing
from edgekit.ward.keys import master_key
from edgekit.ward.turns import Turn
from edgekit.ward.ward import Ward
from tests.answering import everything_logged
from tests.asgi import on_loop, until
from tests.browser import Browser, account, begin_answer, end_of, text_of, told
from tests.toy_service import TEXT, Talking, toy


def kept(state: Path, path: str, owner: str = "this machine") -> tuple[Turn, ...]:
    """The turns of a conversation as the store has them."""
    with Ward.open(state, master_key(state)) as ward:
        return ward.turns.of(owner, path.rpartition("/")[2])


def audited(state: Path) -> str:
    return "".join(path.read_text() for path in sorted((state / "audit").glob("*.jsonl")))


@on_loop
async def test_an_answer_comes_as_it_is_written_and_is_there_tomorrow(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation(label="bed 4")
        call = await page.ask(path, "What is it?", seed=7)
        assert call.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert call.headers["cache-control"] == "no-store"
        (first, begun), *_, (last, ended) = told(call)
        assert (first, last) == ("turn", "end")
        assert begun["state"] in ("waiting", "writing")
        assert text_of(call) == TEXT == ended["answer"]
        assert (ended["state"], ended["number"], ended["question"], ended["seed"]) == ("whole", 1, "What is it?", 7)
        assert ended["tokens"] == len(TEXT)
        assert ended["bundle"] == running.service.model.bundle.digest
        assert ended["params"]["seed"] == 7
        assert ended["by"] == "this machine"
        assert call.ids()[-1] == len(TEXT)
        whole = (await page.get(path)).json()
        assert whole["turns"] == [ended]
        assert whole["title"] == "What is it?"
    async with toy(state=state) as running:
        again = (await Browser(running.app).get(path)).json()
        assert again["turns"] == [ended]
    for event in ("conversation_made", "asked", "answered", "conversation_read"):
        assert f'"{event}"' in audited(state)
    assert "rib" not in audited(state)


@on_loop
async def test_the_question_is_on_the_disk_before_the_first_event(state: Path) -> None:
    async with toy(Talking(held=True), state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        await until(lambda: call.body)
        (turn,) = kept(state, path)
        assert (turn.question, turn.state, turn.answer) == ("What is it?", "waiting", "")
        assert told(call)[0][1]["id"] == turn.id
        running.engine.go()
        await call.done()
        (turn,) = kept(state, path)
        assert (turn.state, turn.answer) == ("whole", TEXT)


@on_loop
async def test_an_answer_goes_on_without_its_reader_and_is_taken_up(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = await begin_answer(page, engine, path)
        turn, offset = told(call)[0][1]["id"], call.ids()[-1]
        await call.leave()
        begun = text_of(call)
        assert TEXT.startswith(begun)
        assert len(begun) == offset < len(TEXT)
        events = f"{path}/messages/{turn}/events"
        taken = page.begin("GET", f"{events}?offset={offset}")
        other = page.begin("GET", events, headers={"last-event-id": "2"})
        await until(lambda: taken.body)
        assert told(taken)[0][1]["state"] == "writing"
        assert (await page.get(path)).json()["turns"][0]["state"] == "writing"
        engine.go()
        await taken.done()
        await other.done()
        assert begun + text_of(taken) == TEXT
        assert text_of(other) == TEXT[2:]
        assert end_of(taken) == end_of(other)
        late = await page.get(f"{events}?offset={offset}")
        assert begun + text_of(late) == TEXT
        assert end_of(late)["state"] == "whole"
    async with toy(state=state) as running:
        again = await Browser(running.app).get(f"{events}?offset={offset}")
        assert begun + text_of(again) == TEXT
        (await Browser(running.app).get(f"{events}?offset=x")).error(400, "invalid_value")
        assert text_of(await Browser(running.app).get(f"{events}?offset=999999")) == ""


@on_loop
async def test_a_stopped_answer_keeps_what_was_written(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = await begin_answer(page, engine, path)
        turn = told(call)[0][1]["id"]
        (exchange,) = running.service.exchanges
        stopping = asyncio.create_task(page.send("DELETE", f"{path}/messages/{turn}"))
        await until(lambda: exchange.reason is not None)
        engine.let(1)
        assert (await stopping).status == 204
        await call.done()
        ended = end_of(call)
        assert ended["state"] == "stopped"
        assert TEXT.startswith(ended["answer"])
        assert 0 < len(ended["answer"]) < len(TEXT)
        assert [(each.state, each.answer) for each in kept(state, path)] == [("stopped", ended["answer"])]
        assert (await page.send("DELETE", f"{path}/messages/{turn}")).status == 204, "what has ended stays as it is"
        engine.go()
        await until(lambda: not running.service.engine.live)
        assert end_of(await page.ask(path))["state"] == "whole", "the conversation goes on"


@on_loop
async def test_the_next_question_is_told_with_what_was_said_before_and_reads_no_prefix_again(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        first = end_of(await page.ask(path, "What is it?"))
        second = end_of(await page.ask(path, "Where?"))
        assert second["prompt_tokens"] == first["prompt_tokens"] + len(TEXT) + len("QWhere?A")
        (reused,) = re.findall(r"^edgekit_reused_tokens_total (.*)$", running.service.metrics.text().decode(), re.M)
        assert float(reused) >= first["prompt_tokens"]


@on_loop
async def test_one_question_of_a_conversation_is_answered_at_a_time(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path, other = await page.begin_conversation(), await page.begin_conversation()
        calls = [page.begin("POST", f"{path}/messages", {"text": f"What is {number}?"}) for number in range(3)]
        await until(lambda: sum(call.whole for call in calls) == 2)
        elsewhere = page.begin("POST", f"{other}/messages", {"text": "What is it?"})
        engine.go()
        for call in calls:
            await call.done()
        assert sorted(call.status for call in calls) == [200, 409, 409]
        assert (await elsewhere.done()).status == 200
        refused = next(call for call in calls if call.status == 409)
        refused.error(409, "conversation_busy")
        assert len(kept(state, path)) == 1


@on_loop
async def test_a_conversation_has_an_end(state: Path) -> None:
    async with toy(settings=Settings(keep=Keep(turns=2)), state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        for number in (1, 2):
            assert end_of(await page.ask(path))["number"] == number
        prefills = running.engine.entered
        refused = await page.post(f"{path}/messages", {"text": "And now?"})
        refused.error(409, "conversation_full")
        assert "2 questions" in refused.json()["error"]["message"]
        assert "begin a new one" in refused.json()["error"]["message"]
        assert len(kept(state, path)) == 2
        assert running.engine.entered == prefills, "the model is not asked"
        assert end_of(await page.ask(await page.begin_conversation()))["number"] == 1


@on_loop
async def test_an_answer_can_be_had_whole(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = await page.ask(path, stream=False, max_tokens=4)
        assert (call.json()["answer"], call.json()["state"]) == (TEXT[:4], "whole")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"text": ""}, 400, "invalid_value"),
        ({"text": " \n"}, 400, "invalid_value"),
        ({"text": "x" * 400}, 400, "context_length_exceeded"),
        ({"text": "x", "images": ["no-such-picture"]}, 400, "picture_not_here"),
        ({"text": "x", "temperature": -1}, 400, "invalid_value"),
        ({"text": "x", "max_tokens": 0}, 400, "invalid_value"),
        ({"text": "x", "seed": 2**70}, 400, "invalid_value"),
        ({"images": []}, 400, "invalid_value"),
    ],
)
@on_loop
async def test_what_cant_be_asked_is_refused_and_not_kept(
    state: Path, fields: dict[str, Any], status: int, code: str
) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        (await page.post(f"{path}/messages", fields)).error(status, code)
        assert kept(state, path) == ()
        assert not running.service.exchanges
        assert end_of(await page.ask(path))["number"] == 1


@on_loop
async def test_pictures_are_read_once_for_each_who_asks(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        pictures = [(await page.post(f"{path}/images", bytes([shade]))).json()["id"] for shade in (5, 6)]
        turn = end_of(await page.ask(path, images=pictures))
        assert turn["pictures"] == pictures
        assert turn["notes"] == ["Shade 5.", "Shade 6."]
        await page.ask(path, "And there?", images=pictures[:1])
        assert running.decoded == [b"\x05", b"\x06"]


@on_loop
async def test_places_are_told_while_an_answer_waits(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "KEEP_ALIVE_S", 0.02)
    monkeypatch.setattr(engines, "PLACES_S", 0.0)
    engine = Talking(slots=1, held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        paths = [await page.begin_conversation() for _ in range(3)]
        calls = []
        for path in paths:
            calls.append(page.begin("POST", f"{path}/messages", {"text": "What is it?"}))
            await until(lambda: calls[-1].body)
        engine.let(2)
        await until(lambda: any(name == "place" for name, _ in told(calls[2])))
        assert told(calls[2])[1] == ("place", {"place": 2, "wait_s": None})
        await until(lambda: calls[2].comments())
        engine.go()
        for call in calls:
            await call.done()
        places = [document["place"] for name, document in told(calls[2]) if name == "place"]
        assert places == sorted(places, reverse=True)


@on_loop
async def test_what_a_crash_leaves_is_called_failed_and_what_was_written_by_then_is_there(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "WRITE_S", 0.0)
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = await begin_answer(page, engine, path)
        await until(lambda: kept(state, path)[0].answer)
        turn = kept(state, path)[0]
        assert turn.state == "writing"
        await running.desk.keeper.close()  # as far as the store is concerned, this is the end
        monkeypatch.setattr(running.desk, "close", asyncio.sleep)
        running.desk.close = lambda: asyncio.sleep(0)  # type: ignore[method-assign]
        call.task.cancel()
    async with toy(state=state) as running:
        page = Browser(running.app)
        (shown,) = (await page.get(path)).json()["turns"]
        assert (shown["state"], shown["answer"]) == ("failed", turn.answer)
        taken = await page.get(f"{path}/messages/{turn.id}/events?offset=1")
        assert text_of(taken) == turn.answer[1:]
        assert told(taken)[-1] == (
            "failure",
            {"message": "The answer failed before it was whole.", "code": "answer_failed"},
        )


@on_loop
async def test_another_persons_is_a_caller_of_its_own(state: Path) -> None:
    anna, ben = account(state), account(state, "ben")
    async with toy(state=state) as running:
        hers, his = Browser(running.app), Browser(running.app)
        await hers.sign_in("anna")
        await his.sign_in("ben")
        path = await hers.begin_conversation()
        await hers.ask(path)
        assert (await hers.send("PUT", f"{path}/shares/ben", {"may_ask": True})).status == 204
        asked: list[Order] = []
        submit = running.service.engine.submit

        def watched(order: Order, news: News) -> Answer:
            asked.append(order)
            return submit(order, news)

        running.service.engine.submit = watched  # type: ignore[method-assign]
        first = end_of(await his.ask(path, "Where?"))
        await hers.ask(path, "And there?")
        assert [order.caller for order in asked] == [f"{ben.owner} for {anna.owner}", anna.owner]
        assert [order.share for order in asked] == [ben.owner, anna.owner]
        assert first["by"] == "ben"
        assert [turn["by"] for turn in (await his.get(path)).json()["turns"]] == ["anna", "ben", "anna"]


@on_loop
async def test_a_full_disk_is_one_clear_error_and_nothing_is_asked(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()

        def full(*arguments: Any, **more: Any) -> None:
            raise DiskFull("No space is left to write x", "Make room.")

        store = await running.desk.keeper.call(lambda store: store)
        with monkeypatch.context() as patch:
            patch.setattr(store.ward.turns, "add", full)
            (await page.post(f"{path}/messages", {"text": "x"})).error(507, "disk_full")
            await until(lambda: not running.service.exchanges)
        assert kept(state, path) == ()
        with monkeypatch.context() as patch:
            patch.setattr(store.ward.turns, "finish", full)
            call = await page.ask(path)
        assert told(call)[-1][0] == "failure"
        assert told(call)[-1][1]["code"] == "disk_full"
        route = "/api/conversations/{conversation}/messages"
        failures = f'edgekit_stream_failures_total{{code="disk_full",route="{route}"}} 1.0'
        assert failures in running.service.metrics.text().decode().splitlines(), "though its status was 200"
        assert (await page.get(path)).json()["turns"][0]["state"] == "failed"


@on_loop
async def test_no_log_holds_a_word_of_a_conversation(state: Path) -> None:
    async with toy(state=state) as running:
        with everything_logged() as lines:
            page = Browser(running.app)
            path = await page.begin_conversation(label="secret-label")
            await page.ask(path, "secret-question")
            await page.get("/api/conversations?search=secret-search")
            await page.post(f"{path}/images", b"?secret-picture")
            await page.send("PATCH", path, {"report": "secret-report"})
            await page.get(f"{path}/secret-path")
        text = "\n".join(lines)
        assert "/api/conversations/{conversation}/messages" in text
        assert not [word for word in ("secret", TEXT, path.rpartition("/")[2]) if word in text]
