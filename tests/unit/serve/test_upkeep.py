"""What a service does beside answering, and what it ends by: a failed engine, a damaged bundle."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgekit.bundle import Bundle
from edgekit.engines.verify import Verified
from edgekit.errors import BundleError, GateRefused
from edgekit.progress import Progress
from edgekit.serve import upkeep
from edgekit.serve.service import Service
from edgekit.serve.transport import Transport
from tests.asgi import on_loop, until
from tests.toy_service import toy


@on_loop
async def test_the_watchdog_is_fed_as_long_as_the_engine_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(upkeep, "notify", lambda **values: heard.append(values))
    monkeypatch.setattr(upkeep, "watchdog_s", lambda: 0.02)
    async with toy() as behind:
        watching = asyncio.create_task(upkeep.watch(behind.service, lambda: None))
        await until(lambda: heard)
        assert heard[0] == {"WATCHDOG": 1, "STATUS": "0 answers on their way, 0 waiting"}
        monkeypatch.setattr(upkeep, "STUCK_S", -1.0)
        await asyncio.sleep(0.05)
        heard.clear()
        await asyncio.sleep(0.1)
        assert heard == [], "an engine that is stuck is systemd's to end"
        assert len([record for record in caplog.records if "at one step" in record.message]) == 1
        monkeypatch.setattr(upkeep, "STUCK_S", 300.0)
        behind.service.stop()
        await until(lambda: heard)
        assert heard[-1] == {"WATCHDOG": 1}, "what it says of its stop stays"
        watching.cancel()


@on_loop
async def test_a_service_whose_engine_failed_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "TELL_S", 0.01)
    ended = []
    async with toy() as behind:
        watching = asyncio.create_task(upkeep.watch(behind.service, lambda: ended.append(True)))
        await asyncio.sleep(0.05)
        assert not ended
        behind.service.engine.failed = True
        await watching
        assert ended
        assert "engine failed" in str(behind.service.failure)


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def service() -> Service:
    return cast(Service, SimpleNamespace(model=SimpleNamespace(bundle="a bundle"), failure=None))


@on_loop
async def test_a_damaged_bundle_ends_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(bundle: Bundle, progress: Progress) -> Verified:
        raise BundleError("graphs/decoder.onnx.data is not what it was", "Copy the bundle again.")

    monkeypatch.setattr(upkeep, "verify_everything", damaged)
    ended: list[bool] = []
    of = service()
    await upkeep.verify(of, lambda: ended.append(True))
    assert ended
    assert "decoder.onnx.data" in str(of.failure)
    assert isinstance(of.failure, GateRefused), "to start it again would help nothing"
    assert of.failure.exit_code == 3


def many_files() -> BundleError:
    error = BundleError("manifest.json can't be read: Too many open files", "Check the disk.")
    error.__cause__ = OSError(errno.EMFILE, "Too many open files")
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "No such file"),
        (many_files(), "Too many open files"),
        (RuntimeError("a patient's name"), "RuntimeError"),
    ],
)
@on_loop
async def test_what_says_nothing_of_the_bundle_is_logged_and_all_is_compared_again(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tries: list[Exception] = []

    def compare(bundle: Bundle, progress: Progress) -> Verified:
        if len(tries) < 2:
            tries.append(error)
            raise error
        return Verified(3, 100, 0.1, ())

    monkeypatch.setattr(upkeep, "verify_everything", compare)
    monkeypatch.setattr(upkeep, "AGAIN_S", 0.01)
    of = service()
    await upkeep.verify(of, lambda: pytest.fail("nothing is wrong with it"))
    assert of.failure is None
    first, second, last = [record for record in caplog.records if record.name == "edgekit.serve"]
    assert (first.levelname, second.levelname) == ("ERROR", "ERROR")
    assert words in first.getMessage()
    assert "patient" not in caplog.text
    assert last.getMessage().startswith("Every file")


@on_loop
async def test_a_whole_bundle_is_read_behind_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    nice: list[int] = []

    def whole(bundle: Bundle, progress: Progress) -> Verified:
        nice.append(priority())
        return Verified(3, 100, 0.1, ())

    monkeypatch.setattr(upkeep, "verify_everything", whole)
    of, before = service(), priority()
    await upkeep.verify(of, lambda: pytest.fail("nothing is wrong with it"))
    assert of.failure is None
    assert nice == [upkeep.IDLE_NICE]
    assert priority() == before
    assert await asyncio.to_thread(priority) == before, "those who read requests come before it"


@on_loop
async def test_a_service_that_ends_does_not_wait_for_the_rest_of_its_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = threading.Event(), threading.Event()

    def endless(bundle: Bundle, progress: Progress) -> Verified:
        try:
            while True:
                progress("verify", 1, 2)
                begun.set()
                time.sleep(0.01)
        finally:
            over.set()

    monkeypatch.setattr(upkeep, "verify_everything", endless)
    of = service()
    verifying = asyncio.create_task(upkeep.verify(of, lambda: pytest.fail("nothing is wrong with it")))
    await until(begun.is_set)
    verifying.cancel()
    await until(over.is_set)
    assert of.failure is None


@on_loop
async def test_a_certificate_is_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "RENEW_S", 0.005)
    looks: list[bool] = []

    async def look() -> None:
        looks.append(True)

    renewing = asyncio.create_task(upkeep.renew(Transport(renew=look)))
    await until(lambda: len(looks) > 2)
    renewing.cancel()
