"""The store's thread: opened where something is kept, made when something is to be, closed when all is done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from edgekit.errors import DiskFull, EdgeKitError, InputError
from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Settings
from edgekit.serve.ward import keeper as keepers
from edgekit.serve.ward.keeper import FILE, Keeper, Store
from edgekit.ward.reserve import Reserve
from tests.asgi import on_loop
from tests.browser import Browser, account, end_of, told
from tests.full_disk import FullDisk
from tests.toy_service import TEXT, toy


@on_loop
async def test_nothing_is_made_until_something_is_to_be_kept(state: Path) -> None:
    keeper = Keeper.of(state, Settings())
    await keeper.start()
    assert [keeper.is_there, state.exists()] == [False, False]
    assert await keeper.call(lambda store: store.ward.accounts.all()) == ()
    assert [keeper.is_there, state.exists()] == [True, True]
    assert (state / FILE).stat().st_mode & 0o777 == 0o600
    await keeper.close()


def test_a_service_without_a_store_loads_nothing_of_one() -> None:
    code = (
        "import sys, edgekit.serve.server; print(*[n for n in ('sqlcipher3', 'argon2', 'segno') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@on_loop
async def test_one_thread_has_it_and_each_call_is_whole(state: Path) -> None:
    keeper = Keeper.of(state, Settings())
    running: list[int] = []
    threads: set[int] = set()

    def work(store: Store) -> None:
        running.append(1)
        assert len(running) == 1
        threads.add(threading.get_ident())
        time.sleep(0.01)
        running.pop()

    await asyncio.gather(*(keeper.call(work) for _ in range(5)))
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    await keeper.close()


@on_loop
async def test_passwords_are_compared_beside_and_not_by_too_many(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "MOST_SLOW", 2)
    keeper = Keeper.of(state, Settings())
    goes_on = threading.Event()
    slow = [asyncio.create_task(keeper.slow(lambda store: goes_on.wait(10))) for _ in range(2)]
    await asyncio.sleep(0)
    assert await keeper.call(lambda store: store.ward.accounts.exist()) is False, "the others' calls go on meanwhile"
    with pytest.raises(Refusal) as refused:
        await keeper.slow(lambda store: None)
    assert (refused.value.status, refused.value.code) == (503, "too_many_sign_ins")
    goes_on.set()
    assert await asyncio.gather(*slow) == [True, True]
    await keeper.close()


@on_loop
async def test_closing_waits_for_what_was_asked(state: Path) -> None:
    keeper = Keeper.of(state, Settings())
    done: list[str] = []

    def work(store: Store) -> None:
        time.sleep(0.05)
        done.append("work")

    asked = asyncio.create_task(keeper.call(work))
    await asyncio.sleep(0)
    await keeper.close()
    assert done == ["work"]
    await asked
    again = Keeper.of(state, Settings())
    await again.start()  # nobody has it any more
    await again.close()


@on_loop
async def test_what_goes_wrong_is_told_by_what_it_is(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper.of(state, Settings())

    def failing(error: Exception) -> None:
        raise error

    for error, status, code in (
        (DiskFull("No space is left to write /var/x", "Make room."), 507, "disk_full"),
        (EdgeKitError("/var/x is damaged", "Restore."), 503, "store_failed"),
    ):
        with pytest.raises(Refusal) as refused:
            await keeper.call(lambda store, error=error: failing(error))  # type: ignore[misc]
        assert (refused.value.status, refused.value.code) == (status, code)
        assert "/var/x" not in refused.value.message
        assert "/var/x" in caplog.text
    with pytest.raises(InputError):
        await keeper.call(lambda store: failing(InputError("no")))
    await keeper.close()


@on_loop
async def test_a_store_that_cant_be_read_is_an_error_before_anybody_is_served(state: Path, tmp_path: Path) -> None:
    account(state)
    (tmp_path / "site" / "ward.key").unlink()
    keeper = Keeper.of(state, Settings())
    with pytest.raises(EdgeKitError, match="missing"):
        await keeper.start()
    await keeper.close()


@on_loop
async def test_what_another_process_writes_is_seen(state: Path) -> None:
    keeper = Keeper.of(state, Settings())
    before = keeper.mark
    account(state)
    assert keeper.mark != before
    assert keeper.is_there
    assert await keeper.call(lambda store: store.ward.accounts.exist())
    before = keeper.mark
    account(state, "ben")
    assert keeper.mark != before
    await keeper.close()


@on_loop
async def test_what_the_audit_has_no_room_for_is_not_done(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("anna", "ben"):
        account(state, name)
    async with toy(state=state) as running:
        anna, ben = Browser(running.app), Browser(running.app)
        await anna.sign_in("anna")
        await ben.sign_in("ben")
        path = await anna.begin_conversation(label="bed 4")
        picture = (await anna.post(f"{path}/images", b"\x05")).json()["id"]
        turn = end_of(await anna.ask(path))["id"]
        before = (await anna.get(path)).json()
        store = await running.desk.keeper.call(lambda store: store)
        with monkeypatch.context() as full:
            full.setattr(store.audit, "note", _refuse)
            for method, place, content in (
                ("PUT", f"{path}/shares/ben", {"may_ask": True}),
                ("PATCH", path, {"label": "bed 5"}),
                ("POST", f"{path}/images", b"\x06"),
                ("POST", f"{path}/images/{picture}/mask", {"rectangles": [[0, 0, 1, 1]]}),
                ("DELETE", f"{path}/images/{picture}", None),
                ("POST", f"{path}/messages", {"text": "And now?"}),
                ("POST", "/api/feedback", {"turn": turn, "verdict": "wrong"}),
                ("POST", "/api/conversations", {"label": "bed 6"}),
                ("DELETE", path, None),
            ):
                (await anna.send(method, place, content)).error(507, "disk_full")
        assert (await anna.get(path)).json() == before
        assert len((await anna.get("/api/conversations")).json()["conversations"]) == 1
        (await ben.get(path)).error(404, "not_found")
        assert (await anna.get(f"{path}/images/{picture}")).status == 200
        await anna.send("PUT", f"{path}/shares/ben", {"may_ask": True})
        with monkeypatch.context() as full:
            full.setattr(store.audit, "note", _refuse)
            (await anna.send("DELETE", f"{path}/shares/ben")).error(507, "disk_full")
        assert (await ben.get(path)).status == 200


@on_loop
async def test_an_answer_that_the_audit_has_no_room_for_is_not_kept_as_whole(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation()
        store = await running.desk.keeper.call(lambda store: store)
        with monkeypatch.context() as full:
            full.setattr(store.audit, "answered", _refuse)
            assert told(await page.ask(path))[-1] == ("failure", {"message": ANY, "code": "disk_full"})
        assert [turn["state"] for turn in (await page.get(path)).json()["turns"]] == ["failed"]


@on_loop
async def test_on_a_full_disk_somebody_signs_in_and_each_time_stands_in_the_audit(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(state)
    disk = FullDisk(state, monkeypatch)
    async with toy(state=state) as running:
        await running.desk.keeper.call(lambda store: store.room.reserve.take(), eases=False)
        disk.full = True
        page = Browser(running.app)
        assert (await page.sign_in("anna")).status == 200
        assert audited(state).count('"sign_in"') == 1
        assert (await page.send("DELETE", "/api/session")).status == 204
        assert Reserve(state).is_in_use


@on_loop
async def test_on_a_full_disk_what_is_kept_is_read_and_deleted_and_nothing_new_is(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, reserve = FullDisk(state, monkeypatch), Reserve(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        path, other = [await page.begin_conversation() for _ in range(2)]
        await page.ask(path)
        reserve.take()
        disk.full = True
    async with toy(state=state) as running:  # a start needs room as well
        page = Browser(running.app)
        assert (await page.get(path)).json()["turns"][0]["answer"] == TEXT
        for place, content in (
            ("/api/conversations", {"label": "bed 6"}),
            (f"{path}/messages", {"text": "And now?"}),
            (f"{path}/images", b"\x05"),
        ):
            refused = await page.post(place, content)
            refused.error(507, "disk_full")
            assert "until there is room" in refused.json()["error"]["message"]
        assert (await page.send("PATCH", path, {"report": "{}"})).status == 200
        assert (await page.send("DELETE", other)).status == 204
        assert reserve.is_in_use
        disk.full = False
        assert end_of(await page.ask(path))["number"] == 2
        assert not reserve.is_in_use, "a question looks whether there is room again"


@on_loop
async def test_without_anything_set_aside_a_full_disk_is_one_clear_error(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(state)
    disk = FullDisk(state, monkeypatch)
    async with toy(state=state) as running:
        disk.full = True
        refused = await Browser(running.app).sign_in("anna")
        refused.error(507, "disk_full")
        assert "has to make room" in refused.json()["error"]["message"]


@on_loop
async def test_what_pages_ask_by_themselves_takes_nothing_of_what_is_set_aside(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(state, role="admin")
    disk, reserve = FullDisk(state, monkeypatch), Reserve(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        path = await page.begin_conversation()
        reserve.take()
        disk.full = True
        for asked in (f"{path}/access", "/api/admin"):
            assert (await page.get(asked)).status == 200
            assert not reserve.is_in_use
        assert (await page.get(path)).status == 200
        assert reserve.is_in_use, "looking at a case leaves a line"


@on_loop
async def test_what_is_new_takes_nothing_of_what_is_set_aside(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(state, monkeypatch)
    keeper = Keeper.of(state, Settings())
    await keeper.call(lambda store: store.room.reserve.take())
    disk.full = True
    await keeper.call(lambda store: None, eases=False)
    assert not Reserve(state).is_in_use
    await keeper.call(lambda store: None)
    assert Reserve(state).is_in_use
    await keeper.close()


def audited(state: Path) -> str:
    return "".join(path.read_text() for path in sorted((state / "audit").glob("*.jsonl")))


def _refuse(*said: object, **more: object) -> None:
    raise DiskFull("No space is left", "Make room.")
