"""A child that fails in every way, by a stand-in that does so on request: the call fails, and the next one works."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

import edgekit
from edgekit.child import environment
from edgekit.serve import worker as module
from edgekit.serve.worker import Worker, WorkerFailure
from edgekit.units import MIB

ROOM = 256 * MIB


@asynccontextmanager
async def working(*arguments: str, deadline_s: float = 30) -> AsyncIterator[Worker]:
    worker = Worker("tests.standing_in", arguments, memory_bytes=ROOM, deadline_s=deadline_s)
    try:
        yield worker
    finally:
        await worker.close()


async def reason(answer: Awaitable[bytes]) -> str:
    with pytest.raises(WorkerFailure) as caught:
        await answer
    return caught.value.reason


async def pid(worker: Worker) -> int:
    return int(await worker.call(b"pid"))


async def gone(number: int) -> None:
    """Wait until this child of ours has ended, its last thread, too: its first may be gone while others still end."""
    for _ in range(200):
        try:
            if os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
        except ChildProcessError:  # its end was waited for already
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the process lives on")


def test_one_warm_child_answers_all_calls_in_their_order() -> None:
    async def scene() -> None:
        async with working() as worker:
            await worker.start()
            first = await pid(worker)
            done: list[int] = []

            async def call(number: int) -> bytes:
                answer = await worker.call(f"echo {number}".encode())
                done.append(number)
                return answer

            answers = await asyncio.gather(*(call(number) for number in range(20)))
            assert answers == [str(number).encode() for number in range(20)]
            assert done == list(range(20))
            assert await pid(worker) == first

    asyncio.run(scene())


def test_messages_of_any_length_come_whole() -> None:
    async def scene() -> None:
        async with working() as worker:
            for length in (0, 1, 2**16, 20 * MIB):
                text = os.urandom(length // 2).hex().encode()
                assert await worker.call(b"echo " + text) == text

    asyncio.run(scene())


FAULTS: dict[str, tuple[bytes, str]] = {
    "sleeps": (b"sleep 60", "time"),
    "allocates": (b"allocate %d" % (2 * ROOM), "memory"),
    "exits": (b"exit 0", "died"),
    "raises": (b"raise a sender's words", "died"),
    "is sent too much": (b"echo " + b"x" * (ROOM + MIB), "memory"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_fails_for_its_reason_and_the_next_one_works(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        message, expected = FAULTS[fault]
        async with working(deadline_s=2) as worker:
            first = await pid(worker)
            began = time.monotonic()
            assert await reason(worker.call(message)) == expected
            assert time.monotonic() - began < 5
            assert await worker.call(b"echo again") == b"again"
            assert await pid(worker) != first
            await gone(first)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scene())
    assert [record.levelname for record in caplog.records if record.name == module.__name__] == ["WARNING"]
    assert "sender" not in caplog.text
    assert ("LookupError" in caplog.text) == (fault == "raises")


def test_an_answer_may_take_what_is_allowed_each_time() -> None:
    async def scene() -> None:
        async with working() as worker:
            for _ in range(5):
                assert await worker.call(b"allocate %d" % (ROOM * 3 // 4)) == str(ROOM * 3 // 4).encode()
            await worker.call(b"hold %d" % (ROOM // 2))
            assert await reason(worker.call(b"hold %d" % (ROOM * 3 // 4))) == "memory"

    asyncio.run(scene())


@pytest.mark.parametrize("way", ["half", "huge"])
def test_what_is_no_answer_is_not_believed(way: str) -> None:
    async def scene() -> None:
        async with working(way) as worker:
            assert await reason(worker.call(b"echo a")) == "died"
            assert await reason(worker.call(b"echo b")) == "died"

    asyncio.run(scene())


def test_a_child_killed_in_the_middle_fails_that_call_alone() -> None:
    async def scene() -> None:
        async with working() as worker:
            number = await pid(worker)
            running = asyncio.ensure_future(worker.call(b"sleep 60"))
            waiting = asyncio.ensure_future(worker.call(b"echo next"))
            await asyncio.sleep(0.3)
            os.kill(number, signal.SIGKILL)
            assert await reason(running) == "died"
            assert await waiting == b"next"

    asyncio.run(scene())


def test_a_child_killed_between_two_calls_costs_none() -> None:
    async def scene() -> None:
        async with working() as worker:
            number = await pid(worker)
            os.kill(number, signal.SIGKILL)
            await gone(number)
            assert await worker.call(b"echo next") == b"next"

    asyncio.run(scene())


def test_another_child_is_warm_before_the_next_call() -> None:
    async def scene() -> None:
        async with working() as worker:
            assert await reason(worker.call(b"exit")) == "died"
            children: list[psutil.Process] = []
            for _ in range(200):
                children = [child for child in psutil.Process().children() if "tests.standing_in" in child.cmdline()]
                if children:
                    break
                await asyncio.sleep(0.05)
            assert await pid(worker) == children[0].pid

    asyncio.run(scene())


def test_who_is_cancelled_leaves_no_answer_to_the_next() -> None:
    async def scene() -> None:
        async with working() as worker:
            await worker.start()
            calls = [asyncio.ensure_future(worker.call(word)) for word in (b"sleep 0.5", b"exit", b"echo right")]
            await asyncio.sleep(0.2)
            for call in calls[:2]:  # one that the child has begun, one that waits and would end the child
                call.cancel()
            assert await calls[2] == b"right"
            assert all(call.cancelled() for call in calls[:2])

    asyncio.run(scene())


def test_closing_ends_what_runs_and_what_waits() -> None:
    async def scene() -> None:
        worker = Worker("tests.standing_in", memory_bytes=ROOM, deadline_s=60)
        number = await pid(worker)
        calls = [asyncio.ensure_future(worker.call(b"sleep 60")) for _ in range(3)]
        await asyncio.sleep(0.2)
        await worker.close()
        await worker.close()
        assert [await reason(call) for call in calls] == ["died"] * 3
        assert await reason(worker.call(b"echo late")) == "died"
        assert not psutil.pid_exists(number)

    asyncio.run(scene())


@pytest.mark.parametrize(("way", "expected"), [("never", "time"), ("broken", "died")])
def test_a_child_that_does_not_start_fails_the_start(way: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_S", 2.0)

    async def scene() -> None:
        async with working(way) as worker:
            with pytest.raises(WorkerFailure) as caught:
                await worker.start()
            assert caught.value.reason == expected

    asyncio.run(scene())


def test_a_child_that_can_not_be_started_fails_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with working() as worker:
            monkeypatch.setattr(worker, "_command", ["/nowhere/python"])
            assert await reason(worker.call(b"echo a")) == "died"

    asyncio.run(scene())


SERVICE = """
import asyncio, sys
from edgekit.serve.worker import Worker

async def serve():
    worker = Worker("tests.standing_in", memory_bytes=2**28, deadline_s=60)
    print(int(await worker.call(b"pid")), flush=True)
    await worker.call(sys.argv[1].encode())

asyncio.run(serve())
"""


@pytest.mark.parametrize("doing", ["sleep 60", "echo idle"])
def test_the_child_ends_with_its_parent(doing: str) -> None:
    command = [sys.executable, "-c", SERVICE, doing]
    root = Path(edgekit.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), cwd=root) as parent:
        assert parent.stdout
        number = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    asyncio.run(gone(number))


def test_a_hundred_calls_leave_nothing_behind() -> None:
    async def scene() -> None:
        async with working() as worker:

            async def figures() -> tuple[int, int, int]:
                own = psutil.Process()
                return int(await worker.call(b"size")), own.num_fds(), threading.active_count()

            for _ in range(10):
                await worker.call(b"allocate %d" % (8 * MIB))  # glibc keeps what it is asked for again and again
            before = await figures()
            for _ in range(100):
                await worker.call(b"allocate %d" % (8 * MIB))
            after = await figures()
            assert after[0] - before[0] < MIB
            assert after[1:] == before[1:]

    asyncio.run(scene())


def test_failed_children_leave_no_descriptors_behind() -> None:
    async def scene() -> None:
        async with working() as worker:
            counts = []
            for _ in range(4):
                assert await reason(worker.call(b"exit")) == "died"
                await worker.call(b"echo")
                counts.append(psutil.Process().num_fds())
            assert len(set(counts)) == 1

    asyncio.run(scene())


def test_a_terminal_s_interrupt_and_systemd_s_end_leave_the_child_alone() -> None:
    async def scene() -> None:
        async with working() as worker:
            number = await pid(worker)
            assert int(await worker.call(b"session")) == number != os.getsid(0)
            os.kill(number, signal.SIGTERM)
            assert await pid(worker) == number

    asyncio.run(scene())
