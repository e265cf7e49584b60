"""A server over a socket of its own: announced once it can be asked, drained at a signal, gone at the second."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgekit.errors import BundleError, GateRefused
from edgekit.serve import server as module
from edgekit.serve.listening import listen, url_of
from edgekit.serve.server import SIGNALS, Announcement, Offer, Server, configuration, serve
from edgekit.serve.settings import Settings
from edgekit.serve.tokens import Tokens
from tests.asgi import on_loop, until
from tests.toy_service import TEXT, Talking, Toy, toy

ASK = {"messages": [{"role": "user", "content": "What is it?"}]}


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server in this event loop, with a client that knows its address."""

    toy: Toy
    server: Server
    task: asyncio.Task[None]
    client: httpx.AsyncClient

    def ask(self, **fields: Any) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(self.client.post("/v1/chat/completions", json=ASK | fields))


@asynccontextmanager
async def serving(
    engine: Talking | None = None, state: Path = Path("/proc/nonexistent"), **limits: Any
) -> AsyncIterator[Running]:
    async with toy(engine, state=state, **limits) as behind:
        listener, ready = listen("127.0.0.1", 0), asyncio.Event()
        offer = Offer(
            bundle=Path("/proc/nonexistent"),
            slots=None,
            listener=listener,
            host="127.0.0.1",
            tokens=Tokens.load(Path("/proc/nonexistent")),
            state=state,
            settings=behind.service.settings,
        )
        server = Server(behind.service, configuration(behind.desk, offer))
        task = asyncio.create_task(server.serve_until_stopped(listener, ready.set))
        await ready.wait()
        url = url_of(listener, "127.0.0.1", tls=False)
        async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
            yield Running(toy=behind, server=server, task=task, client=client)
            behind.engine.go()
            if not task.done():
                server.drain()
        await task


def test_an_announcement_is_a_document() -> None:
    announcement = Announcement(
        url="http://127.0.0.1:8080/", model="toy", bundle="/b", slots=2, context=96, tokens=False, loaded_s=1.5
    )
    assert announcement.document() == {
        "url": "http://127.0.0.1:8080/",
        "others": (),
        "model": "toy",
        "bundle": "/b",
        "slots": 2,
        "context": 96,
        "tokens": False,
        "accounts": False,
        "loaded_s": 1.5,
    }


def test_a_bundle_that_is_damaged_is_no_reason_to_start_again_and_one_that_is_missing_is(tmp_path: Path) -> None:
    def offer(bundle: Path) -> Offer:
        return Offer(
            bundle=bundle,
            slots=None,
            listener=listener,
            host="127.0.0.1",
            tokens=Tokens.load(tmp_path / "tokens.toml"),
            state=tmp_path / "state",
            settings=Settings(),
        )

    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{", encoding="utf-8")
    with listen("127.0.0.1", 0) as listener:
        with pytest.raises(GateRefused) as refused:
            serve(offer(tmp_path / "damaged"), lambda announcement: None)
        assert refused.value.exit_code == 3
        assert refused.value.hint
        with pytest.raises(BundleError) as missing:
            serve(offer(tmp_path / "missing"), lambda announcement: None)
        assert missing.value.exit_code == 1


@on_loop
async def test_a_server_says_nothing_of_itself_and_keeps_its_own_counsel_about_addresses() -> None:
    async with serving() as running:
        answer = await running.client.get("/healthz", headers={"x-forwarded-for": "10.0.0.1"})
        assert answer.status_code == 200
        assert "server" not in answer.headers
        config = running.server.config
        assert (config.proxy_headers, config.access_log, config.lifespan, config.ws) == (False, False, "off", "none")


@on_loop
async def test_a_drain_finishes_what_runs_and_refuses_what_is_new(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine = Talking(slots=1, held=True)
    async with serving(engine, grace_s=20) as running:
        whole = running.ask()
        await until(lambda: engine.entered == 1)
        waiting = running.ask()
        await until(lambda: len(running.toy.service.engine.live) == 2)
        running.server.drain()
        assert caplog.messages[-1].startswith("Stopping: 2 answers get 20 s")
        refused = await running.ask()
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "service_stopping"
        assert 29 <= int(refused.headers["retry-after"]) <= 30
        assert refused.headers["x-should-retry"] == "false"
        assert (await running.client.get("/healthz")).status_code == 200
        assert (await running.client.get("/readyz")).status_code == 503
        assert not running.task.done()
        engine.go()
        for answer in (await whole, await waiting):
            assert answer.json()["choices"][0]["message"]["content"] == TEXT
        await running.task


@on_loop
async def test_a_stream_is_finished_to_its_last_word() -> None:
    engine = Talking(held=True)
    async with (
        serving(engine) as running,
        running.client.stream("POST", "/v1/chat/completions", json=ASK | {"stream": True}) as answer,
    ):
        engine.let(3)
        lines = answer.aiter_lines()
        async for line in lines:
            if '"content":"I' in line:
                break
        running.server.drain()
        engine.go()
        assert [line async for line in lines if line][-1] == "data: [DONE]"
        await running.task


@on_loop
async def test_past_its_grace_time_what_runs_is_cancelled_and_told_so() -> None:
    engine = Talking(held=True)
    async with serving(engine, grace_s=0.1) as running:
        whole = running.ask()
        engine.let(2)
        await until(lambda: engine.entered == 3)
        running.server.drain()
        await until(lambda: running.server.should_exit)
        engine.go()
        answer = await whole
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "service_stopping"
        await running.task


@pytest.mark.parametrize("grace_s", [0.1, 20])
@on_loop
async def test_what_the_page_reads_ends_as_well_and_is_kept_as_far_as_it_came(state: Path, grace_s: float) -> None:
    engine = Talking(held=True)
    async with serving(engine, state, grace_s=grace_s) as running:
        path = (await running.client.post("/api/conversations", json={})).json()["id"]
        text: list[str] = []

        async def read() -> None:
            asked = running.client.stream("POST", f"/api/conversations/{path}/messages", json={"text": "What is it?"})
            async with asked as stream:
                text.extend([line async for line in stream.aiter_lines()])

        reading = asyncio.create_task(read())
        engine.let(6)
        await until(lambda: engine.entered == 7)
        running.server.drain()
        refused = await running.client.post(f"/api/conversations/{path}/messages", json={"text": "And this?"})
        assert refused.json()["error"]["code"] == "service_stopping"
        await until(lambda: running.server.should_exit or grace_s > 1)
        engine.go()
        await reading
        await running.task
    assert text[-3] == "event: end"
    ended = json.loads(text[-2].removeprefix("data: "))
    async with serving(state=state) as running:
        kept = (await running.client.get(f"/api/conversations/{path}")).json()
    assert kept["turns"] == [ended]
    assert TEXT.startswith(ended["answer"])
    assert ended["answer"]
    assert ended["state"] == ("whole" if ended["answer"] == TEXT else "stopped")
    assert (ended["state"] == "whole") == (grace_s > 1)


@pytest.mark.parametrize("number", SIGNALS)
@on_loop
async def test_a_signal_drains_and_a_second_one_ends_at_once(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    engine = Talking(held=True)
    async with serving(engine, grace_s=600) as running:
        whole = running.ask()
        await until(lambda: engine.entered == 1)
        os.kill(os.getpid(), number)
        await until(lambda: running.toy.service.stopping_at is not None)
        await asyncio.sleep(0.1)
        assert not running.task.done()
        os.kill(os.getpid(), number)
        await running.task  # though the answer still runs
        assert not whole.done() or whole.exception() is not None
        whole.cancel()
        await asyncio.gather(whole, return_exceptions=True)
    assert signal.getsignal(number) is before


@on_loop
async def test_what_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with serving() as running:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) == running.server.handle_exit
    finally:
        signal.signal(signal.SIGHUP, before)


@on_loop
async def test_a_failed_engine_is_not_waited_for() -> None:
    async with serving(grace_s=600) as running:
        running.toy.service.engine.failed = True
        running.server.drain()
        await running.task


@on_loop
async def test_systemd_hears_of_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "notify", lambda **values: heard.append(values))
    async with serving() as running:
        assert heard[0]["READY"] == 1
        running.server.drain()
        await running.task
    assert heard[1]["STOPPING"] == 1


@on_loop
async def test_a_service_that_can_t_be_trusted_ends_at_once() -> None:
    engine = Talking(held=True)
    async with serving(engine) as running:
        asked = running.ask()
        await until(lambda: running.toy.service.exchanges)
        running.server.end()
        engine.go()
        answer = await asked
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_failed")
        await running.task


@on_loop
async def test_connections_and_slow_requests_have_the_sites_limits() -> None:
    async with serving(request_s=7, connections=3) as running:
        protocol: Any = running.server.config.http_protocol_class
        assert (protocol.request_s, protocol.most_connections) == (7, 3)
