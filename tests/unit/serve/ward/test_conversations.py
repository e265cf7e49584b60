"""Conversations begun, listed, searched, changed and deleted; and as many as may be kept."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from edgekit.serve.settings import Keep, Settings
from edgekit.ward import conversations as kept
from tests.asgi import on_loop
from tests.browser import Browser, begin_answer, end_of
from tests.toy_service import Talking, toy


@on_loop
async def test_a_list_makes_no_store(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        assert (await page.get("/api/conversations")).json() == {"conversations": [], "more": False}
        assert not state.exists()


@on_loop
async def test_the_last_changed_stands_first_and_a_list_goes_on(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        paths = [await page.begin_conversation(label=f"bed {number}") for number in range(4)]
        await page.ask(paths[1], "Is there a pneumothorax?")
        labels = [each["label"] for each in (await page.get("/api/conversations")).json()["conversations"]]
        assert labels == ["bed 1", "bed 3", "bed 2", "bed 0"]
        first = (await page.get("/api/conversations?limit=2")).json()
        assert (len(first["conversations"]), first["more"]) == (2, True)
        last = first["conversations"][-1]["id"]
        rest = (await page.get(f"/api/conversations?limit=2&before={last}")).json()
        assert ([each["label"] for each in rest["conversations"]], rest["more"]) == (["bed 2", "bed 0"], False)
        found = (await page.get("/api/conversations?search=PNEUMO")).json()["conversations"]
        assert [(each["label"], each["title"], each["turns"]) for each in found] == [
            ("bed 1", "Is there a pneumothorax?", 1)
        ]
        for query in ("limit=0", "limit=101", "limit=x", "limit="):
            (await page.get(f"/api/conversations?{query}")).error(400, "invalid_value")


@on_loop
async def test_nothing_is_reused_of_a_question_that_was_made_ready_while_its_conversation_was_deleted(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        ready, go, orders = asyncio.Event(), asyncio.Event(), running.service.orders

        async def later(*asked: Any) -> Any:
            made = await orders(*asked)
            ready.set()
            await go.wait()
            return made

        monkeypatch.setattr(running.service, "orders", later)
        asking = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        await ready.wait()
        assert (await page.send("DELETE", path)).status == 204
        forgotten = list[str]()
        monkeypatch.setattr(running.desk, "forget", forgotten.append)
        go.set()
        (await asking.done()).error(404, "not_found")
        assert forgotten == ["this machine"]


@on_loop
async def test_what_others_ask_comes_between_the_parts_of_a_search(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_BATCH", 1)
    async with toy(state=state) as running:
        page = Browser(running.app)
        for number in range(3):
            await page.begin_conversation(label=f"bed {number}")
        seen, store = list[str](), await running.desk.keeper.call(lambda store: store)
        part = store.ward.conversations.part
        loop = asyncio.get_running_loop()

        def noting(*asked: Any) -> Any:
            seen.append("part")
            if len(seen) == 1:  # another asks while the first part is made
                asking = running.desk.keeper.call(lambda store: seen.append("other"))
                asyncio.run_coroutine_threadsafe(asking, loop)
                time.sleep(0.1)
            return part(*asked)

        monkeypatch.setattr(store.ward.conversations, "part", noting)
        listed = (await page.get("/api/conversations?search=BED&limit=2")).json()
        assert ([each["label"] for each in listed["conversations"]], listed["more"]) == (["bed 2", "bed 1"], True)
        assert seen == ["part", "other", "part", "part"]


@on_loop
async def test_texts_are_changed_one_by_one(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation(label="bed 4", referring_question="Effusion?")
        changed = (await page.send("PATCH", path, {"report": '{"findings": "<b>none</b>"}'})).json()
        assert (changed["label"], changed["referring_question"]) == ("bed 4", "Effusion?")
        await page.send("PATCH", path, {"label": ""})
        whole = (await page.get(path)).json()
        assert (whole["label"], whole["report"]) == ("", '{"findings": "<b>none</b>"}')
        assert (whole["access"], whole["owner"], whole["shares"]) == ("own", "this machine", [])
        (await page.send("PATCH", path, {"label": "x" * 201})).error(400, "invalid_value")


@on_loop
async def test_what_is_deleted_is_gone_and_so_is_what_was_being_written(state: Path) -> None:
    engine = Talking(held=True)
    async with toy(engine, state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        call = await begin_answer(page, engine, path)
        deleting = asyncio.create_task(page.send("DELETE", path))
        await asyncio.sleep(0.05)
        engine.go()
        assert (await deleting).status == 204
        await call.done()
        assert end_of(call)["state"] in ("stopped", "whole")
        for method in ("GET", "DELETE"):
            (await page.send(method, path)).error(404, "not_found")
        assert (await page.get("/api/conversations")).json()["conversations"] == []


@on_loop
async def test_as_many_are_kept_as_may_be(state: Path) -> None:
    async with toy(settings=Settings(keep=Keep(conversations=2)), state=state) as running:
        page = Browser(running.app)
        paths = [await page.begin_conversation() for _ in range(2)]
        (await page.post("/api/conversations", {})).error(409, "too_many_kept")
        await page.send("DELETE", paths[0])
        await page.begin_conversation()


@pytest.mark.parametrize("path", ["/api/conversations/x", "/api/conversations/x/messages/y/events"])
@on_loop
async def test_what_never_was_is_not_there(state: Path, path: str) -> None:
    async with toy(state=state) as running:
        (await Browser(running.app).get(path)).error(404, "not_found")
