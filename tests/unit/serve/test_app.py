"""Every path that there is, with the version and without, and what becomes of those that there are not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route

from edgekit.serve import tokens
from edgekit.serve.app import UNSERVED, routes
from edgekit.serve.gate import Border, Envelope
from edgekit.serve.settings import Settings
from edgekit.serve.ward.table import routes as ward_routes
from tests.asgi import Call, get, on_loop, post
from tests.toy_service import TEXT, Talking, toy

ASK = {"messages": [{"role": "user", "content": "What is it?"}]}
POSTS: dict[str, dict[str, Any]] = {"/chat/completions": ASK, "/responses": {"input": "What is it?"}}
GETS = {"/": 200, "/healthz": 200, "/health": 200, "/readyz": 200, "/metrics": 200, "/openapi.json": 200}
SAMPLES = {"/api/samples": 200, "/api/samples/other": 404}
VERSIONED = {"/models": 200, "/models/toy": 200, "/models/other": 404, "/chat/completions/" + "a" * 22: 404}


ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}


def methods(table: Iterable[Any]) -> dict[str, set[str]]:
    return {route.path: set(route.methods or ()) for route in table if isinstance(route, Route)}


@pytest.mark.parametrize("base", ["/v1", ""])
@pytest.mark.parametrize("path", POSTS)
@on_loop
async def test_what_is_asked_is_answered_with_the_version_and_without(base: str, path: str) -> None:
    async with toy() as running:
        call = await post(running.app, base + path, POSTS[path]).done()
        assert call.status == 200
        assert TEXT in call.body.decode()
        assert len(call.headers["x-request-id"]) == 32


@pytest.mark.parametrize(("path", "status"), [*GETS.items(), *SAMPLES.items(), *VERSIONED.items(), ("/nothing", 404)])
@on_loop
async def test_what_is_looked_at_is_there(path: str, status: int) -> None:
    async with toy() as running:
        for base in ("",) if path in GETS or path in SAMPLES else ("/v1", ""):
            call = await get(running.app, base + path)
            assert call.status == status
            assert len(call.headers["x-request-id"]) == 32
            if status == 404:
                assert set(call.json()["error"]) >= {"message", "type", "param", "code"}


@on_loop
async def test_every_path_is_tested_here() -> None:
    async with toy() as running:
        table = methods(routes(running.service))
    tested = {base + path for base in ("/v1", "") for path in (*POSTS, "/models")} | set(GETS)
    tested |= {"/page/{path:path}", "/api/samples", "/api/samples/{name}"}
    tested |= {
        base + path for base in ("/v1", "") for path in ("/models/{name:path}", "/chat/completions/{conversation}")
    }
    assert table.keys() == tested | {f"{base}/{path}" for base in ("/v1", "") for path in UNSERVED}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", [path.replace("{rest:path}", "a/b") for path in UNSERVED])
@on_loop
async def test_what_others_serve_is_said_not_to_be(path: str, method: str) -> None:
    async with toy() as running:
        for base in ("/v1/", "/"):
            refused = (await Call(running.app, method, base + path).done()).error(404, "unsupported_endpoint")
            assert "v1/chat/completions" in refused["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/responses", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/v1/models/toy", "GET"),
        ("POST", "/v1/chat/completions/" + "a" * 22, "GET"),
        ("POST", "/healthz", "GET"),
        ("OPTIONS", "/v1/chat/completions", "POST"),
    ],
)
@on_loop
async def test_another_method_is_refused_with_those_that_are_there(method: str, path: str, allowed: str) -> None:
    async with toy() as running:
        call = await Call(running.app, method, path).done()
        call.error(405, "method_not_allowed")
        assert allowed in call.headers["allow"]


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v2/models", "/v1/v1/models", "/models/", "/v1/chat", "/v1/chat/completions/", "/metrics/", "//"],
)
@on_loop
async def test_nothing_is_redirected(path: str) -> None:
    async with toy() as running:
        call = await get(running.app, path)
        assert call.status == 404
        assert call.json()["error"]["code"] in ("not_found", "model_not_found")
        assert "location" not in call.headers


@on_loop
async def test_the_page_and_its_files_are_there() -> None:
    async with toy() as running:
        page = await get(running.app, "/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        for address in re.findall(r'(?:href|src)="([^"#][^"]*)"', page.body.decode()):
            assert not address.startswith(("/", "http")), "the service may lie below a path"
            assert (await get(running.app, f"/{address}")).status == 200, address
        assert (await get(running.app, "/page/nothing.js")).error(404, "not_found")


@on_loop
async def test_what_anybody_may_see_needs_no_token_and_everything_else_does(tmp_path: Path, state: Path) -> None:
    file = tmp_path / "tokens.toml"
    secret = tokens.add(file, "ward")
    open_to_all = {"/", "/healthz", "/health", "/readyz", "/openapi.json", "/models", "/v1/models", "/api/session"}
    async with toy(tokens=file, state=state) as running:
        for path in methods([*routes(running.service), *ward_routes(running.desk)]):
            path = re.sub(r"{[^}]+}", "a" * 22, path)
            call = await Call(running.app, "GET", path).done()
            assert (call.status == 401) == (path not in open_to_all and not path.startswith("/page/")), path
            wrong = await Call(running.app, "GET", path, headers={"authorization": "Bearer wrong"}).done()
            assert wrong.status == 401, path
            assert wrong.headers["www-authenticate"].startswith("Bearer")
            right = await Call(running.app, "GET", path, headers={"authorization": f"Bearer {secret}"}).done()
            assert right.status != 401


@on_loop
async def test_a_page_of_elsewhere_asks_nothing_anywhere() -> None:
    async with toy(settings=Settings(hosts=("ward.example",))) as running:
        for path in methods([*routes(running.service), *ward_routes(running.desk)]):
            for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}, ELSEWHERE):
                assert (await Call(running.app, "GET", path, headers=headers).done()).status == 403
        assert (await get(running.app, "/healthz", headers={"host": "ward.example"})).status == 200


@on_loop
async def test_requests_pass_two_middlewares_that_let_a_caller_be_seen_to_go() -> None:
    """Starlette's ``BaseHTTPMiddleware`` hides from an endpoint that its caller has gone."""
    async with toy(Talking()) as running:
        assert isinstance(running.app, Starlette)
        kinds: list[Any] = [middleware.cls for middleware in running.app.user_middleware]
        assert kinds == [Envelope, Border]
        assert not any(isinstance(kind, type) and issubclass(kind, BaseHTTPMiddleware) for kind in kinds)


@on_loop
async def test_routes_are_counted_by_their_pattern_and_never_by_what_was_asked() -> None:
    async with toy() as running:
        await get(running.app, "/v1/models/a-patients-name")
        await get(running.app, "/a-patients-name")
        await get(running.app, "/v1/chat/completions/a-patients-name?offset=a-patients-name")
        figures = (await get(running.app, "/metrics")).body.decode()
        assert 'route="/v1/models/{name:path}",status="404"' in figures
        assert 'route="/v1/chat/completions/{conversation}",status="404"' in figures
        assert "patient" not in figures
