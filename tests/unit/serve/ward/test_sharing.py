"""Whose things are whose: shared with a colleague and taken back; another's are not there, whatever is asked of."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgekit.serve import tokens
from tests.asgi import Call, get, on_loop, post, until
from tests.browser import Browser, account, end_of, told
from tests.toy_service import Talking, Toy, toy


@dataclass(frozen=True, kw_only=True)
class House:
    """A service with two doctors, and a conversation of Anna's with a picture and an answer."""

    running: Toy
    anna: Browser
    ben: Browser
    path: str
    picture: str
    turn: str


@asynccontextmanager
async def house(state: Path, engine: Talking | None = None, **more: Any) -> AsyncIterator[House]:
    for name in ("anna", "ben"):
        account(state, name)
    async with toy(engine, state=state, **more) as running:
        anna, ben = Browser(running.app), Browser(running.app)
        await anna.sign_in("anna")
        await ben.sign_in("ben")
        path = await anna.begin_conversation(label="bed 4")
        picture = (await anna.post(f"{path}/images", b"\x05")).json()["id"]
        turn = end_of(await anna.ask(path, images=[picture]))["id"]
        yield House(running=running, anna=anna, ben=ben, path=path, picture=picture, turn=turn)


def everything(there: House) -> list[tuple[str, str, Any]]:
    """Every request for something of the conversation."""
    path, picture, turn = there.path, there.picture, there.turn
    return [
        ("GET", path, None),
        ("PATCH", path, {"label": "mine"}),
        ("DELETE", path, None),
        ("GET", f"{path}/access", None),
        ("POST", f"{path}/messages", {"text": "x"}),
        ("POST", f"{path}/messages", {"text": "x", "images": [picture]}),
        ("GET", f"{path}/messages/{turn}/events", None),
        ("DELETE", f"{path}/messages/{turn}", None),
        ("POST", f"{path}/images", b"\x06"),
        ("GET", f"{path}/images/{picture}", None),
        ("GET", f"{path}/images/{picture}/pixels", None),
        ("POST", f"{path}/images/{picture}/mask", {"rectangles": [[0, 0, 1, 1]]}),
        ("DELETE", f"{path}/images/{picture}", None),
        ("PUT", f"{path}/shares/ben", {"may_ask": True}),
        ("DELETE", f"{path}/shares/ben", None),
        ("POST", "/api/feedback", {"turn": turn, "verdict": "wrong"}),
    ]


@on_loop
async def test_of_anothers_conversation_nothing_is_there(state: Path) -> None:
    async with house(state) as there:
        before = (await there.anna.get(there.path)).json()
        for method, path, content in everything(there):
            (await there.ben.send(method, path, content)).error(404, "not_found")
        assert (await there.ben.get("/api/conversations")).json()["conversations"] == []
        assert (await there.ben.get("/api/conversations?search=rib")).json()["conversations"] == []
        assert (await there.ben.get(f"/api/conversations?before={there.path[19:]}")).json()["conversations"] == []
        assert (await there.anna.get(there.path)).json() == before


@on_loop
async def test_anothers_things_are_not_there_below_ones_own_conversation(state: Path) -> None:
    async with house(state) as there:
        own = await there.ben.begin_conversation()
        for method, path, content in everything(there):
            if (
                path.startswith(f"{there.path}/")
                and "shares" not in path
                and (there.picture in path or there.turn in path)
            ):
                below = own + path.removeprefix(there.path)
                (await there.ben.send(method, below, content)).error(404, "not_found")
        asked = {"text": "x", "images": [there.picture]}
        (await there.ben.post(f"{own}/messages", asked)).error(400, "picture_not_here")


@on_loop
async def test_what_may_be_read_is_read_and_not_changed(state: Path) -> None:
    async with house(state) as there:
        assert (await there.anna.send("PUT", f"{there.path}/shares/ben", {"may_ask": False})).status == 204
        shared = (await there.ben.get(there.path)).json()
        assert (shared["access"], shared["owner"], shared["shares"]) == ("read", "anna", [])
        assert (await there.ben.get("/api/conversations")).json()["conversations"][0]["access"] == "read"
        assert (await there.anna.get(there.path)).json()["shares"] == [{"name": "ben", "may_ask": False}]
        reading = ("GET", "POST /api/feedback")
        for method, path, content in everything(there):
            call = await there.ben.send(method, path, content)
            if method == "GET" or f"{method} {path}" in reading:
                assert call.status in (200, 204), path
            else:
                call.error(403, "not_allowed")
        verdicts = [(await page.get(there.path)).json()["turns"][0]["verdict"] for page in (there.anna, there.ben)]
        assert verdicts == [None, {"verdict": "wrong", "answer": ""}], "each has his own"


@on_loop
async def test_who_may_ask_asks_and_shares_nothing_on(state: Path) -> None:
    async with house(state) as there:
        account(state, "carla")
        await there.anna.send("PUT", f"{there.path}/shares/ben", {"may_ask": True})
        assert end_of(await there.ben.ask(there.path, "Where?", images=[there.picture]))["by"] == "ben"
        for method, path, content in (
            ("PUT", f"{there.path}/shares/carla", {}),
            ("PUT", f"{there.path}/shares/nobody", {}),
            ("DELETE", f"{there.path}/shares/ben", None),
            ("DELETE", there.path, None),
            ("PATCH", there.path, {"label": "mine"}),
        ):
            (await there.ben.send(method, path, content)).error(403, "not_allowed")
        assert (await there.ben.get("/api/colleagues")).json()["names"] == ["anna", "carla"]
        (await there.anna.send("PUT", f"{there.path}/shares/nobody", {})).error(404, "not_found")
        (await there.anna.send("PUT", f"{there.path}/shares/anna", {})).error(400, "invalid_request")


@on_loop
async def test_what_is_taken_back_is_gone_at_once(state: Path) -> None:
    async with house(state) as there:
        await there.anna.send("PUT", f"{there.path}/shares/ben", {"may_ask": True})
        turn = end_of(await there.ben.ask(there.path, "Where?"))["id"]
        assert (await there.anna.send("DELETE", f"{there.path}/shares/ben")).status == 204
        for method, path, content in everything(there):
            (await there.ben.send(method, path, content)).error(404, "not_found")
        (await there.ben.get(f"{there.path}/messages/{turn}/events")).error(404, "not_found")
        (await there.ben.post("/api/feedback", {"turn": turn, "verdict": "right"})).error(404, "not_found")
        (await there.anna.send("DELETE", f"{there.path}/shares/ben")).error(404, "not_found")
        assert (await there.ben.get("/api/conversations")).json()["conversations"] == []


@on_loop
async def test_who_reads_along_when_it_is_taken_back_reads_no_further(state: Path) -> None:
    engine = Talking()
    async with house(state, engine) as there:
        await there.anna.send("PUT", f"{there.path}/shares/ben", {"may_ask": False})
        engine.held, engine.entered = True, 0
        asking = there.anna.begin("POST", f"{there.path}/messages", {"text": "Where?"})
        await until(lambda: asking.body)
        turn = told(asking)[0][1]["id"]
        reading = there.ben.begin("GET", f"{there.path}/messages/{turn}/events")
        await until(lambda: reading.body)
        assert (await there.anna.send("DELETE", f"{there.path}/shares/ben")).status == 204
        engine.go()
        await asyncio.gather(asking.done(), reading.done())
        assert end_of(asking)["state"] == "whole"
        assert [name for name, _ in told(reading)] == ["turn", "failure"]


@on_loop
async def test_who_reads_along_does_not_get_the_whole_of_what_is_taken_back_before_it_is_stored(state: Path) -> None:
    engine = Talking()
    async with house(state, engine) as there:
        await there.anna.send("PUT", f"{there.path}/shares/ben", {"may_ask": False})
        engine.held, engine.entered = True, 0
        asking = there.anna.begin("POST", f"{there.path}/messages", {"text": "Where?"})
        await until(lambda: told(asking))
        reading = there.ben.begin("GET", f"{there.path}/messages/{told(asking)[0][1]['id']}/events?offset=999")
        await until(lambda: told(reading))
        written = there.running.desk.writing.of(told(asking)[0][1]["id"])
        assert written
        store = await there.running.desk.keeper.call(lambda store: store)
        stored, waited = threading.Event(), store.ward.turns.finish
        store.ward.turns.finish = lambda *turn, **more: stored.wait(20) and waited(*turn, **more)  # type: ignore
        engine.go()
        await until(lambda: written.exchange.ended)
        taking = there.anna.begin("DELETE", f"{there.path}/shares/ben")
        there.running.desk.writing.withdraw(there.path.rpartition("/")[2], "account 2")
        stored.set()
        await asyncio.gather(asking.done(), reading.done(), taking.done())
        assert taking.status == 204
        assert [name for name, _ in told(reading)] == ["turn", "failure"]
        assert end_of(asking)["state"] == "whole"


@on_loop
async def test_a_tokens_conversations_are_its_own(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    secrets = [tokens.add(file, name) for name in ("ward-7", "ward-8")]
    async with house(state, tokens=file) as there:
        one, other = [{"authorization": f"Bearer {secret}"} for secret in secrets]
        app = there.running.app
        made = await post(app, "/api/conversations", {"label": "x"}, headers=one).done()
        path = f"/api/conversations/{made.json()['id']}"
        assert made.json()["owner"].startswith("token ward-7 ")
        answered = await post(app, f"{path}/messages", {"text": "x"}, headers=one).done()
        assert end_of(answered)["state"] == "whole"
        (await get(app, path, headers=other)).error(404, "not_found")
        (await there.anna.get(path)).error(404, "not_found")
        (await get(app, there.path, headers=one)).error(404, "not_found")
        assert (await get(app, "/api/colleagues", headers=one)).json() == {"names": []}
        tokens.remove(file, "ward-7")
        again = {"authorization": f"Bearer {tokens.add(file, 'ward-7')}"}
        (await get(app, path, headers=again)).error(404, "not_found")


@pytest.mark.parametrize("path", ["/api/conversations", "/api/colleagues"])
@on_loop
async def test_who_has_not_signed_in_has_nothing(state: Path, path: str) -> None:
    async with house(state) as there:
        refused = await Call(there.running.app, "GET", path).done()
        refused.error(401, "sign_in_needed")
        (await Call(there.running.app, "GET", there.path).done()).error(401, "sign_in_needed")
    async with toy() as running:
        (await Browser(running.app, "10.0.0.9").get(path)).error(401, "sign_in_needed")
