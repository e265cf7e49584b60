"""Signing in and out as a browser does it: cookies, the lock, one-time links, passwords, and who guesses them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import DiskFull
from edgekit.serve.headers import SAFE
from edgekit.serve.settings import Settings
from edgekit.serve.ward import keeper as keepers
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.answering import everything_logged
from tests.asgi import on_loop
from tests.browser import PASSWORD, Browser, account
from tests.toy_service import toy

WRONG = "a short walk to the sea"


def invitation(state: Path, name: str = "anna") -> str:
    with Ward.open(state, master_key(state)) as ward:
        return ward.invitations.make(ward.accounts.add(name, "doctor"))


def audited(state: Path) -> str:
    return "".join(path.read_text() for path in sorted((state / "audit").glob("*.jsonl")))


@on_loop
async def test_before_there_are_accounts_nobody_signs_in_at_this_machine(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        document = (await page.get("/api/session")).json()
        assert (
            document["signed_in"] is document["sign_in_needed"] is document["accounts"] is document["locked"] is False
        )
        assert document["account"] is document["idle_s"] is None
        assert document["csrf"] == ""
        assert document["service"]["model"] == "toy"
        assert document["service"]["slots"] == 2
        assert document["service"]["images"] == running.service.limits.images
        elsewhere = (await Browser(running.app, "10.0.0.9").get("/api/session")).json()
        assert elsewhere["sign_in_needed"] is True
        assert elsewhere["accounts"] is False
        assert (await page.sign_in("anna")).status == 401
    assert not state.exists(), "nobody's question makes a store"


@pytest.mark.parametrize("tls", [False, True])
@on_loop
async def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_have(state: Path, tls: bool) -> None:
    account(state)
    async with toy(state=state) as running:
        page = Browser(running.app, tls=tls)
        assert (await page.get("/api/session")).json()["sign_in_needed"] is True
        signed = await page.sign_in("Anna")
        assert signed.status == 200
        assert signed.json()["account"] == {"name": "anna", "role": "doctor", "language": ""}
        assert signed.json()["idle_s"] == 1800
        name, *attributes = signed.headers["set-cookie"].split("; ")
        assert name.startswith("__Host-edgekit=" if tls else "edgekit=")
        assert {"Path=/", "HttpOnly", "SameSite=Strict"} <= set(attributes)
        assert ("Secure" in attributes) == tls
        assert not any(attribute.startswith(("Domain", "Expires", "Max-Age")) for attribute in attributes)
        assert signed.headers["cache-control"] == "no-store"
        assert SAFE.items() <= signed.headers.items()
        again = (await page.get("/api/session")).json()
        assert again["signed_in"] is True
        assert again["csrf"] == signed.json()["csrf"]
        assert PASSWORD not in audited(state)
        assert '"sign_in"' in audited(state)


@on_loop
async def test_signing_out_ends_the_session_and_drops_the_cookie(state: Path) -> None:
    account(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        kept = dict(page.cookies)
        gone = await page.send("DELETE", "/api/session")
        assert (gone.status, gone.body) == (204, b"")
        assert "content-length" not in gone.headers, "RFC 9110, 8.6"
        assert page.cookies == {}
        page.cookies = kept
        assert (await page.get("/api/session")).json()["signed_in"] is False
        assert '"sign_out"' in audited(state)


@on_loop
async def test_a_second_sign_in_ends_the_first_session_of_this_browser(state: Path) -> None:
    account(state)
    account(state, "ben")
    async with toy(state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        kept = dict(page.cookies)
        assert (await page.sign_in("ben")).json()["account"]["name"] == "ben"
        assert page.cookies != kept
        page.cookies = kept
        assert (await page.get("/api/session")).json()["signed_in"] is False


@on_loop
async def test_a_locked_session_is_opened_by_its_password_alone(state: Path) -> None:
    account(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        await page.sign_in("anna")
        assert (await page.post("/api/session/lock")).status == 204
        (await page.send("PATCH", "/api/account", {"language": "fr"})).error(401, "session_locked")
        (await page.post("/v1/chat/completions", {"messages": []})).error(401, "session_locked")
        document = (await page.get("/api/session")).json()
        assert document["locked"] is True
        assert document["account"]["name"] == "anna"
        (await page.post("/api/session/unlock", {"password": WRONG})).error(401, "wrong_password")
        opened = await page.post("/api/session/unlock", {"password": PASSWORD})
        assert opened.json()["locked"] is False
        assert (await page.send("PATCH", "/api/account", {"language": "fr"})).status == 204
        assert (await page.get("/api/session")).json()["account"]["language"] == "fr"
        for event in ("session_locked", "session_unlocked", "sign_in_failed"):
            assert f'"{event}"' in audited(state)


@on_loop
async def test_a_link_is_good_once(state: Path) -> None:
    secret = invitation(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        short = await page.begin("POST", "/api/invitation", {"secret": secret, "password": "short"}).done()
        short.error(400, "password_invalid")
        chosen = await page.post("/api/invitation", {"secret": secret, "password": PASSWORD})
        assert chosen.json()["account"]["name"] == "anna"
        again = (
            await Browser(running.app).begin("POST", "/api/invitation", {"secret": secret, "password": WRONG}).done()
        )
        again.error(400, "invitation_invalid")
        assert (await page.get("/api/session")).json()["signed_in"] is True
        assert secret not in audited(state)


@on_loop
async def test_a_new_password_ends_every_session(state: Path) -> None:
    account(state)
    async with toy(state=state) as running:
        here, there = Browser(running.app), Browser(running.app, "10.0.0.9")
        await here.sign_in("anna")
        await there.sign_in("anna")
        (await here.post("/api/password", {"old": WRONG, "new": WRONG})).error(403, "wrong_password")
        (await here.post("/api/password", {"old": PASSWORD, "new": "short"})).error(400, "password_invalid")
        assert (await there.get("/api/session")).json()["signed_in"] is True
        assert (await here.post("/api/password", {"old": PASSWORD, "new": WRONG})).status == 204
        for page in (here, there):
            assert (await page.get("/api/session")).json()["signed_in"] is False
            assert (await page.send("PATCH", "/api/account", {"language": "fr"})).status == 401
        assert (await here.sign_in("anna", PASSWORD)).status == 401
        assert (await here.sign_in("anna", WRONG)).status == 200


@on_loop
async def test_guessing_is_slowed_down_and_locks_out_nobody_else(state: Path) -> None:
    account(state)
    account(state, "ben")
    async with toy(state=state) as running:
        guesser = Browser(running.app, "10.0.0.9")
        known = Browser(running.app, "10.0.0.7")
        assert (await known.sign_in("anna")).status == 200
        for _ in range(4):
            (await guesser.sign_in("anna", WRONG)).error(401, "wrong_password")
        refused = await guesser.sign_in("anna", PASSWORD)
        refused.error(429, "too_many_tries")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await known.sign_in("anna")).status == 200, "a device that was here before"
        assert (await guesser.sign_in("ben")).status == 200, "others behind one address"


@on_loop
async def test_a_name_that_nobody_has_is_refused_in_the_same_words_after_as_long(state: Path) -> None:
    account(state)
    async with toy(state=state) as running:
        page = Browser(running.app)
        times = {}
        bodies = set()
        for name in ("anna", "nobody"):
            begun = time.perf_counter()
            bodies.add((await page.sign_in(name, WRONG)).body)
            times[name] = time.perf_counter() - begun
        assert len(bodies) == 1
        assert times["nobody"] > 0.3 * times["anna"]
        assert "nobody" not in audited(state), "what is typed as a name may be a password"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/api/session", {"name": "a"}),
        ("POST", "/api/session", {"name": "a" * 201, "password": "x"}),
        ("POST", "/api/session", b"{"),
        ("POST", "/api/invitation", {"secret": 1, "password": "x"}),
    ],
)
@on_loop
async def test_what_cant_be_meant_is_refused_by_its_name(state: Path, method: str, path: str, content: Any) -> None:
    async with toy(state=state) as running:
        call = await Browser(running.app).begin(method, path, content).done()
        assert call.status == 400
        assert call.json()["error"]["code"] in ("invalid_value", "invalid_json")


@on_loop
async def test_what_is_an_accounts_own_is_for_who_is_signed_in(state: Path) -> None:
    async with toy(state=state) as running:
        page = Browser(running.app)
        (await page.post("/api/session/lock")).error(403, "session_needed")
        (await page.post("/api/password", {"old": "x", "new": "y"})).error(403, "session_needed")
        (await page.send("PATCH", "/api/account", {"language": "fr"})).error(403, "session_needed")


@on_loop
async def test_no_log_holds_a_name_or_a_password(state: Path) -> None:
    account(state)
    async with toy(state=state) as running:
        with everything_logged() as lines:
            page = Browser(running.app)
            await page.sign_in("anna", WRONG)
            await page.sign_in("anna")
            await page.get("/api/session")
        text = "\n".join(lines)
        assert "account 1" in text
        assert not [word for word in ("anna", WRONG, PASSWORD, *page.cookies.values(), page.csrf) if word in text]


@on_loop
async def test_many_who_sign_in_at_once_wait_or_are_told_to(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account(state)
    monkeypatch.setattr(keepers, "MOST_SLOW", 1)
    async with toy(state=state) as running:
        calls = [
            Browser(running.app, f"10.0.0.{number}").begin(
                "POST", "/api/session", {"name": "anna", "password": PASSWORD}
            )
            for number in range(3)
        ]
        statuses = sorted([(await call.done()).status for call in calls])
        assert statuses == [200, 503, 503]


@on_loop
async def test_a_link_stays_good_where_the_audit_has_no_room_for_its_use(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"secret": invitation(state), "password": PASSWORD}
    async with toy(state=state) as running:
        store = await running.desk.keeper.call(lambda store: store)
        page = Browser(running.app)
        with monkeypatch.context() as full:
            full.setattr(store.audit, "note", _refuse)
            (await page.post("/api/invitation", link)).error(507, "disk_full")
        assert (await page.sign_in("anna")).status == 401
        assert (await page.post("/api/invitation", link)).status == 200


@on_loop
async def test_a_proxy_that_says_no_address_is_no_failure(state: Path) -> None:
    account(state)
    async with toy(state=state, settings=Settings(proxies=("10.0.0.9",))) as running:
        page = Browser(running.app, "10.0.0.9")
        tried = {"name": "anna", "password": WRONG}
        (await page.post("/api/session", tried, headers={"x-forwarded-for": "a b"})).error(401, "wrong_password")
        assert '"address":"unknown"' in audited(state)


@on_loop
async def test_one_network_of_ipv6_guesses_as_one(state: Path) -> None:
    async with toy(state=state) as running:
        account(state)
        for number in range(4):
            page = Browser(running.app, f"2001:db8::{number}")
            (await page.sign_in("anna", WRONG)).error(401, "wrong_password")
        (await Browser(running.app, "2001:db8::9").sign_in("anna", WRONG)).error(429, "too_many_tries")


def _refuse(*said: object, **more: object) -> None:
    raise DiskFull("No space is left", "Make room.")
