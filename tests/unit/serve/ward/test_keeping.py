"""A service deletes what is kept no longer, and goes on where it can't."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgekit.errors import EdgeKitError
from edgekit.machine.moment import Moment
from edgekit.serve.settings import Keep, Settings
from edgekit.serve.ward import keeping
from edgekit.serve.ward.keeper import Store
from edgekit.ward.audit.audit import Audit
from edgekit.ward.expiry import DAY_MS, Expiry
from edgekit.ward.reserve import NAME, Reserve
from tests.asgi import on_loop, until
from tests.browser import Browser
from tests.toy_service import Toy, toy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Days = list[float]


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch) -> Days:
    """For how many days the device has run; a tick comes every few milliseconds."""
    days: Days = [0]

    def now() -> Moment:
        return Moment(boot="boot", up_ms=round(days[0] * DAY_MS), wall_ms=0, synchronised=False)

    monkeypatch.setattr(Expiry.__init__, "__defaults__", (now,))
    monkeypatch.setattr(keeping, "TICK_S", 0.02)
    return days


@asynccontextmanager
async def keeping_for(state: Path, days: int) -> AsyncIterator[tuple[Toy, Browser]]:
    async with toy(state=state, settings=Settings(keep=Keep(days=days))) as running:
        task = asyncio.create_task(keeping.expire(running.desk))
        yield running, Browser(running.app)
        task.cancel()


async def _left(page: Browser) -> int:
    return len((await page.get("/api/conversations")).json()["conversations"])


async def _ticked(running: Toy, conversations: int) -> None:
    """Wait for a tick that has seen so many conversations, and for another."""
    query = "SELECT count(*) FROM main.ages"
    while await running.desk.keeper.call(lambda store: store.ward.database.row(query)) != (conversations,):
        await asyncio.sleep(0.01)
    before = await running.desk.keeper.call(_looked)
    while await running.desk.keeper.call(_looked) == before:
        await asyncio.sleep(0.01)


def _looked(store: Store) -> int:
    return store.ward.database.connection.total_changes


@on_loop
async def test_what_nobody_changed_for_its_days_goes(
    state: Path, days: Days, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    async with keeping_for(state, 30) as (running, page):
        monkeypatch.setattr(running.service.engine, "forget", forgotten.append)
        await page.begin_conversation(label="old")
        await _ticked(running, 1)
        days[0] = 29.9
        await _ticked(running, 1)
        assert await _left(page) == 1
        with caplog.at_level(logging.INFO, "edgekit.serve"):
            days[0] = 30.1
            await until(lambda: "1 conversations that nobody changed for 30 days" in caplog.text)
        assert await _left(page) == 0
        assert forgotten == ["this machine"]


@on_loop
async def test_without_days_all_stays_and_nothing_is_made(state: Path, days: Days) -> None:
    async with keeping_for(state, 0) as (running, page):
        await asyncio.sleep(0.1)
        assert not state.exists()
        await page.begin_conversation()
        await _ticked(running, 1)
        days[0] = 1000
        await _ticked(running, 1)
        assert await _left(page) == 1


@on_loop
async def test_it_goes_on_where_the_store_fails(
    state: Path, days: Days, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object, **facts: object) -> None:
        raise EdgeKitError("No space is left", "Make room.")

    async with keeping_for(state, 30) as (running, page):
        await page.begin_conversation()
        await _ticked(running, 1)
        with monkeypatch.context() as patch:
            patch.setattr(Audit, "note", refuse)
            days[0] = 31
            await until(lambda: "No space is left" in caplog.text)
        await _ticked(running, 0)
        assert await _left(page) == 0


@on_loop
async def test_a_little_of_the_disk_is_set_aside_once_something_is_kept(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RESERVE_S", 0.02)
    async with toy(state=state) as running:
        task = asyncio.create_task(keeping.set_aside(running.desk))
        await asyncio.sleep(0.1)
        assert not state.exists()
        await Browser(running.app).begin_conversation()
        await until(lambda: (state / NAME).exists() and not Reserve(state).is_in_use)
        task.cancel()
