"""A thread of one's own: its result or its error comes, and nothing waits for it that has somewhere else to go."""

from __future__ import annotations

import asyncio
import threading

import pytest

from edgekit.serve.threads import on_own_thread
from tests.asgi import on_loop, until


@on_loop
async def test_what_work_returns_or_raises_comes_of_it_on_another_thread() -> None:
    assert await on_own_thread(threading.current_thread, "mine") is not threading.current_thread()
    assert (await on_own_thread(threading.current_thread, "mine")).name == "mine"
    with pytest.raises(ZeroDivisionError):
        await on_own_thread(lambda: 1 // 0, "mine")


@on_loop
async def test_the_loop_goes_on_and_who_is_cancelled_waits_no_longer() -> None:
    begun, goes_on, over = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        goes_on.wait(20)
        over.set()

    waiting = asyncio.create_task(on_own_thread(work, "mine"))
    await until(begun.is_set)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    goes_on.set()
    await until(over.is_set)


def test_a_loop_that_ends_does_not_wait_for_it() -> None:
    goes_on, thread = threading.Event(), list[threading.Thread]()

    def work() -> None:
        thread.append(threading.current_thread())
        goes_on.wait(20)

    async def begin() -> None:
        task = asyncio.create_task(on_own_thread(work, "mine"))
        await until(lambda: thread)
        task.cancel()

    asyncio.run(begin())
    assert thread[0].is_alive(), "the loop has ended before it"
    assert thread[0].daemon
    goes_on.set()
    thread[0].join(20)
    assert not thread[0].is_alive()
