"""What every endpoint of the ward's does: methods, errors, headers, and bodies that are not too large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import DiskFull
from edgekit.serve.headers import SAFE
from tests.asgi import Call, on_loop
from tests.browser import PASSWORD, Browser, account, end_of
from tests.toy_service import toy


@on_loop
async def test_another_method_is_refused_with_all_that_are_there(state: Path) -> None:
    async with toy(state=state) as running:
        for path, allowed in (
            ("/api/conversations", {"GET", "HEAD", "POST"}),
            ("/api/conversations/x", {"GET", "HEAD", "PATCH", "DELETE"}),
            ("/api/feedback", {"POST"}),
        ):
            call = await Call(running.app, "PUT", path).done()
            call.error(405, "method_not_allowed")
            assert set(call.headers["allow"].split(", ")) == allowed


@on_loop
async def test_every_answer_and_every_error_says_what_browsers_have_to_know(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        path = await page.begin_conversation(label="<script>alert(1)</script>")
        for call in (
            await page.get("/api/session"),
            await page.get(path),
            await page.ask(path),
            await page.get(f"{path}/nothing"),
            await page.get("/api/conversations/x"),
            await page.post("/api/conversations", b"{"),
            await page.send("DELETE", path),
            await page.send("PUT", path),
            await page.get(path, headers={"sec-fetch-site": "cross-site"}),
        ):
            assert SAFE.items() <= call.headers.items()
            assert call.headers["cache-control"] == "no-store"
            assert "html" not in call.headers.get("content-type", "")


@on_loop
async def test_what_only_looks_can_be_asked_for_its_head(state: Path) -> None:
    async with toy(state=state) as running:
        call = await Call(running.app, "HEAD", "/api/session").done()
        assert (call.status, call.headers["content-type"]) == (200, "application/json")


@on_loop
async def test_a_body_is_held_within_the_limits_of_all(state: Path) -> None:
    async with toy(state=state, body_bytes=100, bodies_bytes=100) as running:
        page = Browser(running.app)
        (await page.post("/api/conversations", {"label": "x" * 100})).error(413, "request_too_large")
        assert (await page.post("/api/conversations", {"label": "x"})).status == 201


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'"x"', b'{"label": 1}', b'{"label": null}', b"\xff"])
@on_loop
async def test_what_is_no_document_of_the_kind_is_refused(state: Path, content: bytes) -> None:
    async with toy(state=state) as running:
        assert (await Browser(running.app).post("/api/conversations", content)).status == 400


@pytest.mark.parametrize("query", ["limits=2", "limit=2&x=1", "&".join(f"a{number}=1" for number in range(40))])
@on_loop
async def test_a_query_that_is_misspelt_is_refused(state: Path, query: str) -> None:
    async with toy(state=state) as running:
        (await Browser(running.app).get(f"/api/conversations?{query}")).error(400, "invalid_value")


@on_loop
async def test_what_the_audit_cant_tell_of_is_not_done(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account(state)
    account(state, "ben")
    async with toy(state=state) as running:
        anna = Browser(running.app)
        await anna.sign_in("anna")
        path = await anna.begin_conversation(label="bed 4")
        picture = (await anna.post(f"{path}/images", b"\x05")).json()["id"]
        turn = end_of(await anna.ask(path, images=[picture]))["id"]
        before = (await anna.get(path)).json()
        store = await running.desk.keeper.call(lambda store: store)

        def full(*arguments: Any, **facts: Any) -> None:
            raise DiskFull("No space is left to write x", "Make room.")

        with monkeypatch.context() as patch:
            patch.setattr(store.audit, "note", full)
            for method, where, content in (
                ("POST", "/api/conversations", {}),
                ("PATCH", path, {"label": "bed 5"}),
                ("POST", f"{path}/messages", {"text": "x"}),
                ("POST", f"{path}/images", b"\x06"),
                ("POST", f"{path}/images/{picture}/mask", {"rectangles": [[0, 0, 1, 1]]}),
                ("PUT", f"{path}/shares/ben", {}),
                ("POST", "/api/feedback", {"turn": turn, "verdict": "right"}),
                ("GET", path, None),
                ("POST", "/api/session", {"name": "ben", "password": PASSWORD}),
            ):
                (await anna.begin(method, where, content).done()).error(507, "disk_full")
        assert (await anna.get(path)).json() == before
        assert len((await anna.get("/api/conversations")).json()["conversations"]) == 1
