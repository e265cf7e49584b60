"""How the service fares, told to admins alone, without a word of anybody's."""

from __future__ import annotations

import json
import logging
import tarfile
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from edgekit.check.nightly import VARIABLE, Finding, Nightly, not_done, part, write_nightly
from edgekit.serve.ward import admin
from edgekit.serve.ward.documents import AdminDocument, GoldenFacts
from edgekit.ward import sessions
from tests.asgi import on_loop
from tests.browser import Browser, account
from tests.toy_service import toy


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[GoldenFacts]:
    """What a golden check has said."""
    said: list[GoldenFacts] = []
    monkeypatch.setattr(admin, "_golden", lambda service: said[-1] if said else None)
    return said


@on_loop
async def test_an_admin_sees_how_it_fares_and_no_other_does(state: Path) -> None:
    account(state)
    account(state, "ada", "admin")
    async with toy(state=state) as running:
        anna, ada = Browser(running.app), Browser(running.app)
        await anna.sign_in("anna")
        await ada.sign_in("ada")
        path = await anna.begin_conversation(label="secret-label")
        await anna.ask(path, "secret-question")
        for page in (anna, Browser(running.app, "10.0.0.9")):
            for where in ("/api/admin", "/api/support"):
                assert (await page.get(where)).status in (401, 403)
        (await anna.get("/api/admin")).error(403, "admin_needed")
        seen = await ada.get("/api/admin")
        document = msgspec.json.decode(seen.body, type=AdminDocument, strict=True)
        assert document.queue.running == document.queue.waiting == document.slots.busy == 0
        assert document.slots.all == 2
        assert document.memory.used_bytes > 10**7
        assert 0 < document.disk.free_bytes <= document.disk.all_bytes
        assert sorted(session.name for session in document.signed_in) == ["ada", "anna"]
        assert document.golden is None
        assert document.certificates == []
        assert b"secret" not in seen.body
        (await ada.get(path)).error(404, "not_found")


@on_loop
async def test_a_page_that_looks_by_itself_keeps_nobody_signed_in(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    account(state, "ada", "admin")
    async with toy(state=state) as running:
        ada = Browser(running.app)
        await ada.sign_in("ada")
        seen = list[str]()
        monkeypatch.setattr(sessions, "_SEEN_S", 0.0)
        monkeypatch.setattr(sessions.Sessions, "_see", lambda self, secret, now: seen.append(secret))
        path = await ada.begin_conversation()
        seen.clear()
        with caplog.at_level(logging.INFO, "edgekit"):
            assert (await ada.get("/api/admin")).status == 200
            assert (await ada.get(f"{path}/access")).json() == {"access": "own"}
            assert not caplog.messages, "nor does it fill the log"
            (await ada.get(f"{path}x/access")).error(404, "not_found")
            assert len(caplog.messages) == 1
        assert not seen
        assert (await ada.get("/api/conversations")).status == 200
        assert len(seen) == 1


@on_loop
async def test_what_failed_is_told_last_first(state: Path, verdicts: list[GoldenFacts]) -> None:
    verdicts.append(GoldenFacts(time="2026-11-30T00:00:00Z", agrees=False))
    async with toy(state=state) as running:
        page = Browser(running.app)
        running.desk.until = lambda: {"authority": datetime(2036, 11, 30, tzinfo=timezone.utc)}
        for code in ("first", "second"):
            running.service.metrics.note("/", 500, 0.1, code)
        document = (await page.get("/api/admin")).json()
        assert [each["code"] for each in document["errors"]] == ["second", "first"]
        assert document["certificates"] == [{"name": "authority", "until": "2036-11-30T00:00:00Z"}]
        assert document["golden"] == {"time": "2026-11-30T00:00:00Z", "agrees": False}
        assert document["nightly"] is None
        assert document["signed_in"] == []


@on_loop
async def test_what_the_nightly_check_found_is_told(
    state: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path_factory.mktemp("prefix")
    (prefix / "state").mkdir()
    (prefix / "current").symlink_to("releases/1")
    at = "2026-11-30T03:10:00.000Z"
    files = part([Finding("libnothing was replaced", "restart")], at)
    write_nightly(prefix / "state/checked", Nightly(release="1", files=files, answers=not_done("no room", at)))
    monkeypatch.setenv(VARIABLE, str(prefix / "state/checked"))
    async with toy(state=state) as running:
        assert (await Browser(running.app).get("/api/admin")).json()["nightly"] == {
            "files": "failed",
            "answers": "not done",
            "files_time": at,
            "answers_time": at,
            "findings": ["libnothing was replaced", "no room"],
        }


@on_loop
async def test_the_archive_holds_nothing_of_anybody(state: Path) -> None:
    account(state, "ada", "admin")
    async with toy(state=state) as running:
        ada = Browser(running.app)
        await ada.sign_in("ada")
        path = await ada.begin_conversation(label="secret-label")
        await ada.ask(path, "secret-question")
        archive = await ada.get("/api/support")
        assert archive.headers["content-type"] == "application/gzip"
        assert "attachment" in archive.headers["content-disposition"]
        shown = json.loads(archive.headers["x-archive"])
        assert shown["name"] in archive.headers["content-disposition"]
        assert len(archive.headers["x-archive"]) < 3000, "proxies take 4 KiB of headers"
        with tarfile.open(fileobj=BytesIO(archive.body)) as packed:
            texts = [file.read() for name in packed.getnames() if (file := packed.extractfile(name))]
            held = [(name.partition("/")[2], packed.getmember(name).size) for name in packed.getnames()]
        assert [(file["name"], file["bytes"]) for file in shown["files"]] == held
        assert all(file["what"] for file in shown["files"])
        assert texts
        assert b"secret" not in b"".join(texts)
