"""Health, readiness and figures, while the engine stands, is full, stops, or has failed."""

from __future__ import annotations

import pytest

from edgekit.serve.memory import MemoryGuard
from edgekit.units import GIB, MIB
from tests.asgi import get, on_loop, post, until
from tests.toy_service import Talking, toy

ASK = {"messages": [{"role": "user", "content": "What is it?"}]}


@on_loop
async def test_nothing_waits_for_the_engine() -> None:
    async with toy(Talking(slots=1, held=True)) as running:
        calls = [post(running.app, "/v1/chat/completions", ASK) for _ in range(3)]
        await until(lambda: running.engine.entered == 1)
        running.engine.let()
        engine = running.service.engine
        await until(lambda: len(engine.live) == 3 and len(engine.waiting) == 2)
        assert (await get(running.app, "/healthz")).json() == {"status": "ok"}
        ready = await get(running.app, "/readyz")
        assert ready.status == 200
        assert ready.json() == {"status": "ready", "slots": 1, "running": 1, "waiting": 2}
        figures = await get(running.app, "/metrics")
        assert figures.headers["content-type"].startswith("text/plain")
        assert b"edgekit_waiting 2.0" in figures.body
        running.engine.go()
        assert [(await call.done()).status for call in calls] == [200] * 3


@pytest.mark.parametrize("path", ["/healthz", "/health"])
@on_loop
async def test_a_service_that_stops_lives_and_takes_no_questions(path: str) -> None:
    async with toy(grace_s=5) as running:
        running.service.stop()
        assert (await get(running.app, path)).status == 200
        refused = await get(running.app, "/readyz")
        refused.error(503, "service_stopping")
        assert 10 <= int(refused.headers["retry-after"]) <= 15


@on_loop
async def test_a_failed_engine_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async with toy() as running:
        monkeypatch.setattr(running.service.model.generator, "halves", lambda: 1 / 0)
        post(running.app, "/v1/chat/completions", ASK)
        await until(lambda: running.service.engine.failed)
        (await get(running.app, "/readyz")).error(503, "engine_failed")
        assert (await get(running.app, "/healthz")).status == 200


@on_loop
async def test_where_memory_is_short_nothing_new_is_begun_until_there_is_some_again() -> None:
    async with toy() as running:
        left = [MIB]
        running.service.memory = MemoryGuard(GIB, lambda: left[0])
        for refused in (await get(running.app, "/readyz"), await post(running.app, "/v1/chat/completions", ASK).done()):
            refused.error(503, "memory_short")
            assert (refused.headers["retry-after"], b"1.00 MiB" in refused.body) == ("5", True)
        assert (await get(running.app, "/healthz")).status == 200
        left[0] = GIB
        assert (await post(running.app, "/v1/chat/completions", ASK).done()).status == 200


@on_loop
async def test_what_is_asked_often_is_not_stored() -> None:
    async with toy() as running:
        for path in ("/healthz", "/readyz"):
            assert (await get(running.app, path)).headers["cache-control"] == "no-store"
