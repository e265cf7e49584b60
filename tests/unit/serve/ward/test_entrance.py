"""Who comes in, by what, and what is asked of him first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edgekit.serve import tokens
from edgekit.serve.caller import Callers
from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Settings
from edgekit.serve.tokens import Tokens
from edgekit.serve.ward.entrance import THIS_MACHINE, Entrance, Visit
from edgekit.serve.ward.keeper import Keeper
from edgekit.ward.accounts import Account
from edgekit.ward.sessions import Session
from tests.asgi import on_loop
from tests.browser import account

NOBODY = Path("/proc/nonexistent")


@asynccontextmanager
async def entrance(state: Path, file: Path = NOBODY, proxies: tuple[str, ...] = ()) -> AsyncIterator[Entrance]:
    keeper = Keeper.of(state, Settings())
    await keeper.start()
    try:
        yield Entrance(Callers(Tokens.load(file), proxies), keeper)
    finally:
        await keeper.close()


def request(
    method: str = "GET",
    path: str = "/api/conversations",
    address: str = "127.0.0.1",
    scheme: str = "http",
    **headers: str,
) -> dict[str, Any]:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "method": method,
        "path": path,
        "headers": lines,
        "client": (address, 4000),
        "scheme": scheme,
        "root_path": "",
    }


async def code(there: Entrance, scope: dict[str, Any]) -> str | Visit:
    """The code of the refusal, or the visit."""
    try:
        return await there.visit(scope)
    except Refusal as refusal:
        assert refusal.status == (403 if refusal.code == "csrf_wrong" else 401)
        return refusal.code


async def signed_in(there: Entrance, anyone: Account) -> tuple[str, Session]:
    """The secret of a new session, and the session."""
    secret = await there._keeper.call(lambda store: store.ward.sessions.begin(anyone))
    session = await there._keeper.call(lambda store: store.ward.sessions.of(secret))
    assert session is not None
    return secret, session


async def owner(there: Entrance, **fields: Any) -> str | None:
    visit = await there.visit(request(**fields))
    return visit.owner


@on_loop
async def test_without_tokens_and_accounts_whoever_sits_here_keeps_things_and_others_do_not(state: Path) -> None:
    async with entrance(state) as there:
        assert await owner(there) == THIS_MACHINE
        assert await owner(there, address="::1") == THIS_MACHINE
        assert await owner(there, address="10.0.0.9") is None
        for header in ("x_forwarded_for", "forwarded", "via", "x_real_ip"):
            assert await owner(there, **{header: "127.0.0.1"}) is None, "a proxy that nobody named"
        visit = await there.visit(request(path="/v1/chat/completions", address="10.0.0.9"))
        assert visit.caller.name == "address 10.0.0.9"
    assert not state.exists()


@on_loop
async def test_a_named_proxy_says_who_sits_here(state: Path) -> None:
    async with entrance(state, proxies=("127.0.0.1",)) as there:
        assert await owner(there, x_forwarded_for="10.0.0.9") is None
        assert await owner(there, x_forwarded_for="127.0.0.1") == THIS_MACHINE
        assert await owner(there) is None, "whom it asks for is not said"


@on_loop
async def test_with_an_account_everybody_needs_a_session(state: Path) -> None:
    async with entrance(state) as there:
        assert await owner(there) == THIS_MACHINE
        anna = account(state)  # by another process, while this one runs
        assert await code(there, request()) == "sign_in_needed"
        assert await code(there, request(path="/v1/chat/completions")) == "token_missing"
        assert await code(there, request(authorization="Bearer ek-x")) == "sign_in_needed"
        assert isinstance(await code(there, request(path="/v1/models")), Visit)
        assert isinstance(await code(there, request(path="/page/a.js")), Visit)
        assert isinstance(await code(there, request("POST", "/api/session")), Visit)
        secret = await there._keeper.call(lambda store: store.ward.sessions.begin(anna))
        visit = await code(there, request(cookie=f"edgekit={secret}"))
        assert isinstance(visit, Visit)
        assert visit.session is not None
        assert (visit.owner, visit.caller.id, visit.session.account.name) == ("account 1", "account 1", "anna")
        assert isinstance(await code(there, request(path="/v1/chat/completions", cookie=f"edgekit={secret}")), Visit)
        await there._keeper.call(lambda store: store.ward.accounts.disable(anna))
        assert await code(there, request(cookie=f"edgekit={secret}")) == "sign_in_needed"
        assert await code(there, request()) == "sign_in_needed", "it stays closed"


@on_loop
async def test_with_a_token_the_page_needs_one_or_a_session(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    secret = tokens.add(file, "ward-7")
    async with entrance(state, file) as there:
        assert await code(there, request()) == "sign_in_needed"
        visit = await there.visit(request(authorization=f"Bearer {secret}"))
        assert visit.owner == visit.caller.id
        assert visit.caller.id.startswith("token ward-7 ")
        assert await code(there, request(authorization="Bearer wrong")) == "token_wrong"
        assert await code(there, request("POST", "/api/session", authorization="Bearer wrong")) == "token_wrong"
        assert isinstance(await there.visit(request("POST", authorization=f"Bearer {secret}")), Visit), "no word needed"


@on_loop
async def test_a_cookie_changes_nothing_without_the_pages_word(state: Path) -> None:
    anna, ben = account(state), account(state, "ben")
    async with entrance(state) as there:
        secret, mine = await signed_in(there, anna)
        _, others = await signed_in(there, ben)
        cookie = f"edgekit={secret}"
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            for path in ("/api/conversations", "/v1/chat/completions", "/api/session"):
                assert await code(there, request(method, path, cookie=cookie)) == "csrf_wrong"
                for word in ("", "wrong", others.csrf, mine.csrf[:-1]):
                    assert await code(there, request(method, path, cookie=cookie, x_csrf_token=word)) == "csrf_wrong"
                assert isinstance(
                    await code(there, request(method, path, cookie=cookie, x_csrf_token=mine.csrf)), Visit
                )
        assert isinstance(await code(there, request(cookie=cookie)), Visit), "what is only looked at needs none"


@on_loop
async def test_a_locked_session_opens_nothing_but_its_lock(state: Path) -> None:
    anna = account(state)
    async with entrance(state) as there:
        secret, session = await signed_in(there, anna)
        await there._keeper.call(lambda store: store.ward.sessions.lock(secret))
        fields = {"cookie": f"edgekit={secret}", "x_csrf_token": session.csrf}
        for path in ("/api/conversations", "/v1/chat/completions", "/api/password", "/api/admin", "/metrics", "/api"):
            assert await code(there, request("GET", path, **fields)) == "session_locked"
            assert await code(there, request("POST", path, **fields)) == "session_locked"
        for method, path in (("GET", "/api/session"), ("POST", "/api/session/unlock"), ("DELETE", "/api/session")):
            assert isinstance(await code(there, request(method, path, **fields)), Visit)


@on_loop
async def test_over_tls_the_cookie_is_another(state: Path) -> None:
    anna = account(state)
    async with entrance(state, proxies=("10.0.0.2",)) as there:
        secret = await there._keeper.call(lambda store: store.ward.sessions.begin(anna))
        for scheme, name, more, is_let_in in (
            ("https", "__Host-edgekit", {}, True),
            ("https", "edgekit", {}, False),
            ("http", "__Host-edgekit", {}, False),
            ("http", "__Host-edgekit", {"address": "10.0.0.2", "x_forwarded_proto": "https"}, True),
            ("http", "__Host-edgekit", {"address": "10.0.0.3", "x_forwarded_proto": "https"}, False),
        ):
            seen = await code(there, request(scheme=scheme, cookie=f"{name}={secret}", **more))
            assert isinstance(seen, Visit) == is_let_in


@pytest.mark.parametrize("path", ["/api", "/api/session/", "/api/session/unlock/x", "/v1/api/session", "/pages/x"])
@on_loop
async def test_only_what_is_named_is_anybodys(state: Path, path: str) -> None:
    account(state)
    async with entrance(state) as there:
        assert await code(there, request(path=path)) in ("sign_in_needed", "token_missing")
