"""Each caller has a few turns at once, whoever came first, and what is over leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from edgekit.serve.turns import AT_ONCE, Turns
from tests.asgi import on_loop, until


@on_loop
async def test_one_who_has_many_waits_behind_his_own() -> None:
    turns, order, go = Turns(), list[str](), asyncio.Semaphore(0)
    child = asyncio.Lock()  # stands for what does one thing at a time

    async def request(caller: str) -> None:
        async with turns.turn(caller), child:
            order.append(caller)
            await go.acquire()

    tasks = [asyncio.create_task(request("heavy")) for _ in range(10)]
    await until(lambda: order)
    tasks.append(asyncio.create_task(request("light")))
    for _ in tasks:
        await asyncio.sleep(0.002)
        go.release()
    await asyncio.gather(*tasks)
    assert order.index("light") <= AT_ONCE
    assert order.count("heavy") == 10


@on_loop
async def test_turns_are_counted_until_they_are_over_however_they_end() -> None:
    turns, goes_on = Turns(), asyncio.Event()

    async def request() -> None:
        async with turns.turn("ward"):
            await goes_on.wait()
            raise LookupError

    tasks = [asyncio.create_task(request()) for _ in range(AT_ONCE + 2)]
    await asyncio.sleep(0.01)
    assert (turns.of("ward"), turns.of("other"), turns.count) == (AT_ONCE + 2, 0, AT_ONCE + 2)
    tasks.pop().cancel()  # while it waits for its turn
    tasks.pop(0).cancel()  # while it has one
    await asyncio.sleep(0.01)
    assert turns.count == AT_ONCE
    goes_on.set()
    for task in tasks:
        with pytest.raises(LookupError):
            await task
    assert turns.count == 0
    assert not turns._turns
    assert not turns._counts
