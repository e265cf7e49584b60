"""Of an account that a terminal removes, the running service remembers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit.errors import DiskFull
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve.ward import removed
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.writing import Written
from edgekit.ward.accounts import Account
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.asgi import on_loop, until
from tests.browser import Browser, told
from tests.toy_service import Talking, Toy, prepared, toy


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A service that looks after removed accounts: what it forgets, and which answers it stops."""

    toy: Toy
    forgotten: list[str]
    stopped: list[Written]


@asynccontextmanager
async def watched(
    state: Path, monkeypatch: pytest.MonkeyPatch, engine: Talking | None = None
) -> AsyncIterator[Watched]:
    monkeypatch.setattr(removed, "LOOK_S", 0.02)
    async with toy(engine, state=state) as running:
        forgotten, stopped = list[str](), list[Written]()
        forget, stop = running.service.forget, running.desk.writing.stop

        def forgetting(caller: str) -> None:
            forgotten.append(caller)
            forget(caller)

        async def stopping(written: Written) -> None:
            stopped.append(written)
            await stop(written)

        monkeypatch.setattr(running.service, "forget", forgetting)
        monkeypatch.setattr(running.desk.writing, "stop", stopping)
        task = asyncio.create_task(removed.forget_removed(running.desk))
        try:
            yield Watched(toy=running, forgotten=forgotten, stopped=stopped)
        finally:
            task.cancel()


def remove(state: Path, removed: Account) -> None:
    """As a command at a terminal does."""
    with Ward.open(state, master_key(state)) as ward:
        ward.remove_account(removed, with_conversations=True)


def account(state: Path, name: str) -> Account:
    """Make an account; nobody has to know its password."""
    with Ward.open(state, master_key(state)) as ward:
        return ward.accounts.add(name, "doctor")


async def signed_in(running: Toy, account: Account) -> Browser:
    """Return the page of whoever has a session."""
    page = Browser(running.app)
    page.cookies["edgekit"] = await running.desk.keeper.call(lambda store: store.ward.sessions.begin(account))
    page.csrf = (await page.get("/api/session")).json()["csrf"]
    return page


async def has_looked(running: Toy) -> None:
    """Wait until every account was looked at twice."""
    calls, call = [0], running.desk.keeper.call

    async def counting(work: object, *, eases: bool = True) -> object:
        calls[0] += work is removed._accounts
        return await call(work, eases=eases)  # type: ignore[arg-type]

    running.desk.keeper.call = counting  # type: ignore[method-assign, assignment]
    await until(lambda: calls[0] >= 2)
    del running.desk.keeper.call


@on_loop
async def test_what_it_sent_is_forgotten(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, ben, carla = (account(state, name) for name in ("anna", "ben", "carla"))
    async with watched(state, monkeypatch) as watch:
        decoded: list[str] = []

        async def look(owner: str) -> None:
            async def decode() -> PreparedPicture:
                decoded.append(owner)
                return prepared(5)

            await watch.toy.service.gallery.stored(owner, b"picture", decode)

        for owner in (anna.owner, ben.owner) * 2:
            await look(owner)
        await has_looked(watch.toy)
        assert (watch.forgotten, decoded) == ([], [anna.owner, ben.owner])
        remove(state, anna)
        await until(lambda: len(watch.forgotten) >= 5)
        await has_looked(watch.toy)
        pairs = [f"{anna.owner} for {other.owner}" for other in (ben, carla)]
        pairs += [f"{other.owner} for {anna.owner}" for other in (ben, carla)]
        assert sorted(watch.forgotten) == sorted([anna.owner, *pairs]), "once, and nobody else's"
        for owner in (anna.owner, ben.owner):
            await look(owner)
        assert decoded == [anna.owner, ben.owner, anna.owner]


@on_loop
async def test_an_answer_in_its_conversation_ends(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, engine = account(state, "anna"), Talking(held=True)
    account(state, "ben")
    async with watched(state, monkeypatch, engine) as watch:
        page = await signed_in(watch.toy, anna)
        path = await page.begin_conversation()
        asked = page.begin("POST", f"{path}/messages", {"text": "What is it?"})
        await until(lambda: asked.body)
        await has_looked(watch.toy)
        assert not watch.stopped
        remove(state, anna)
        await until(lambda: watch.stopped)
        engine.go()
        await asked.done()
        await until(lambda: anna.owner in watch.forgotten)
        assert [written.asked.owner for written in watch.stopped] == [anna.owner]
        name, document = told(asked)[-1]
        assert (name, document["code"]) in (("failure", "not_found"), ("failure", "sign_in_needed"))


@on_loop
async def test_it_goes_on_where_the_store_fails(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, _ = account(state, "anna"), account(state, "ben")

    def full(store: Store) -> frozenset[str]:
        raise DiskFull("No space is left", "Make room.")

    async with watched(state, monkeypatch) as watch:
        await has_looked(watch.toy)
        with monkeypatch.context() as patch:
            patch.setattr(removed, "_owners", full)
            remove(state, anna)
            await has_looked(watch.toy)
            assert not watch.forgotten
        await until(lambda: anna.owner in watch.forgotten)
