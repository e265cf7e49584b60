"""What every request passes: named whatever becomes of it, let in or not, and logged without a word of what it says."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import edgekit.serve
from edgekit.errors import EngineError, InputError
from edgekit.serve.app import _refuse
from edgekit.serve.asgi import Bodies, Gone, respond, respond_json, while_connected
from edgekit.serve.caller import Callers
from edgekit.serve.gate import Border, Envelope
from edgekit.serve.headers import SAFE
from edgekit.serve.hosts import Hosts
from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Settings
from edgekit.serve.tokens import Tokens, add
from edgekit.serve.ward.entrance import OPEN, Entrance
from edgekit.serve.ward.keeper import Keeper
from tests.answering import Answering, answering, everything_logged, request

PROMPT, ANSWER, QUERY, TEXT = "patient-4711", "carcinoma", "secret-query", "words-of-an-error"
ID = re.compile(r"[0-9a-f]{32}")
NOBODY = Path("/proc/nonexistent")


class Endpoint:
    """Answers, or fails, as the path has it; the body is read first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["path_params"]["kind"]
        async with Bodies(1000, 1000).reading("ward", scope, receive) as body:
            assert body.decode() in ("", PROMPT)
        error = {
            "input": InputError("The image is cut off"),
            "engine": EngineError(TEXT),
            "bug": ValueError(TEXT + PROMPT),
            "refusal": Refusal(429, "later", "too_many_requests", headers={"retry-after": "3"}),
            "stopping": Refusal(503, "later", "service_stopping"),
            "gone": Gone(),
        }.get(kind)
        if error is not None:
            raise error from KeyError(TEXT)
        if kind == "begun":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": ANSWER.encode(), "more_body": True})
            raise ValueError(TEXT + PROMPT)
        if kind == "wait":
            await while_connected(receive, asyncio.sleep(30))
        await respond(send, 200, ANSWER.encode(), {})


class Plain:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond_json(send, 200, {"caller": scope["state"]["caller"].name, "id": scope["state"]["request_id"]})


class Application:
    """The two middlewares as the service has them, around an application of a few paths."""

    def __init__(self, tokens: Path = NOBODY, proxies: tuple[str, ...] = ()) -> None:
        self.noted: list[tuple[str, int, float, str]] = []
        entrance = Entrance(Callers(Tokens.load(tokens), proxies), Keeper.of(NOBODY, Settings()))
        self.app = Starlette(
            routes=[
                Route("/kinds/{kind}", Endpoint(), methods=["POST", "GET"]),
                *(Route(path, Plain(), methods=["GET"]) for path in ("/healthz", "/v1/models", "/models", "/metrics")),
                Route("/models/{name}", Plain(), methods=["GET"]),
            ],
            middleware=[
                Middleware(Envelope, note=lambda *note: self.noted.append(note)),
                Middleware(Border, hosts=Hosts(), entrance=entrance),
            ],
            exception_handlers={HTTPException: _refuse},
        )
        self.app.router.redirect_slashes = False


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def id(self) -> str:
        (value,) = [value for name, value in self.headers if name == b"x-request-id"]
        return value.decode()

    @property
    def code(self) -> Any:
        return json.loads(self.body)["error"]["code"]


def ask(app: ASGIApp, path: str, *headers: tuple[str, str], method: str = "GET", address: str = "127.0.0.1") -> Answer:
    """Send one request, as uvicorn hands it over, and gather the answer."""
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    if "host" not in dict(headers):
        lines.append((b"host", b"localhost:8080"))
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": QUERY.encode(),
        "headers": lines,
        "client": (address, 1234),
        "state": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 5))
    start, *rest = sent
    return Answer(start["status"], list(start["headers"]), b"".join(message["body"] for message in rest))


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/kinds/fine", "POST", 200, None),
        ("/kinds/input", "POST", 400, "invalid_request"),
        ("/kinds/refusal", "POST", 429, "too_many_requests"),
        ("/kinds/engine", "POST", 500, "engine_failed"),
        ("/kinds/bug", "POST", 500, "internal_error"),
        ("/nowhere", "GET", 404, "not_found"),
        ("/kinds/fine/", "GET", 404, "not_found"),
        ("/kinds/fine", "DELETE", 405, "method_not_allowed"),
        ("/healthz", "POST", 405, "method_not_allowed"),
    ],
)
def test_every_answer_has_a_name_and_every_error_one_form(
    path: str, method: str, status: int, code: str | None
) -> None:
    application = Application()
    answers = [ask(application.app, path, method=method) for _ in range(2)]
    assert [answer.status for answer in answers] == [status] * 2
    assert all(ID.fullmatch(answer.id) for answer in answers)
    assert answers[0].id != answers[1].id
    if code is not None:
        assert answers[0].code == code
        assert TEXT not in str(answers[0])
        assert set(json.loads(answers[0].body)["error"]) >= {"message", "type", "param", "code"}
    assert [note[1] for note in application.noted] == [status] * 2


def test_every_answer_tells_browsers_what_not_to_do_with_it() -> None:
    app = Application().app
    for path in ("/healthz", "/kinds/fine", "/kinds/input", "/kinds/bug", "/nowhere"):
        headers = {name.decode(): value.decode() for name, value in ask(app, path).headers}
        assert SAFE.items() <= headers.items(), path
    for refused in (ask(app, "/healthz", ("host", "attacker.example")), ask(app, "/healthz", method="DELETE")):
        assert {name.encode(): value.encode() for name, value in SAFE.items()}.items() <= dict(refused.headers).items()


@pytest.mark.parametrize(
    ("method", "mode", "status"),
    [("GET", "no-cors", 403), ("POST", "navigate", 403), ("GET", "navigate", 200), ("GET", "cors", 403)],
)
def test_what_another_page_loads_is_refused_and_a_link_is_followed(method: str, mode: str, status: int) -> None:
    lines = ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)
    assert ask(Application().app, "/kinds/fine", *lines, method=method).status == status


def test_the_name_is_ours_and_the_endpoints() -> None:
    answer = ask(Application().app, "/healthz", ("x-request-id", "made-up"))
    assert ID.fullmatch(answer.id)
    assert json.loads(answer.body)["id"] == answer.id


def test_an_errors_headers_go_along() -> None:
    headers = dict(ask(Application().app, "/kinds/refusal", method="POST").headers)
    assert headers[b"retry-after"] == b"3"
    refused = ask(Application().app, "/healthz", method="POST")
    assert "send GET or HEAD." in json.loads(refused.body)["error"]["message"]
    allowed = dict(refused.headers)[b"allow"]
    assert set(allowed.split(b", ")) == {b"GET", b"HEAD"}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/kinds/fine", {"host": "attacker.example"}, 403, "host_not_allowed"),
        ("/kinds/fine", {"origin": "http://attacker.example"}, 403, "origin_not_allowed"),
        ("/healthz", {"host": "attacker.example"}, 403, "host_not_allowed"),
        ("/kinds/fine", {"host": "attacker.example", "authorization": "Bearer {}"}, 403, "host_not_allowed"),
        ("/kinds/fine", {"origin": "null", "authorization": "Bearer {}"}, 403, "origin_not_allowed"),
        ("/kinds/fine", {}, 401, "token_missing"),
        ("/kinds/fine", {"authorization": "Bearer wrong"}, 401, "token_wrong"),
        ("/healthz", {"authorization": "Bearer wrong"}, 401, "token_wrong"),
        ("/nowhere", {}, 401, "token_missing"),
        ("/metrics", {}, 401, "token_missing"),
        ("/models/x", {}, 401, "token_missing"),
        ("/v1/v1/models", {}, 401, "token_missing"),
        ("/v1models", {}, 401, "token_missing"),
        ("//models", {}, 401, "token_missing"),
        ("/models/", {}, 401, "token_missing"),
        ("/nowhere", {"authorization": "Bearer {}"}, 404, "not_found"),
    ],
)
def test_where_it_comes_from_is_asked_before_who_asks_and_that_before_what(
    path: str, headers: dict[str, str], status: int, code: str, tmp_path: Path
) -> None:
    secret = add(tmp_path / "tokens.toml", "ward-7")
    lines = [(name, value.format(secret)) for name, value in headers.items()]
    with everything_logged() as logged:
        answer = ask(Application(tmp_path / "tokens.toml").app, path, *lines, address="10.0.4.9")
    assert (answer.status, answer.code) == (status, code)
    caller = "token ward-7" if status == 404 else "address 10.0.4.9"
    assert logged[-1].endswith(f" s, {caller}: {code}"), "who tries tokens is found by the log"
    assert ID.fullmatch(answer.id)
    assert (b"www-authenticate" in dict(answer.headers)) == (status == 401)


def test_what_is_anybodys_needs_no_token_and_a_right_one_opens_all(tmp_path: Path) -> None:
    secret = add(tmp_path / "tokens.toml", "ward-7")
    app = Application(tmp_path / "tokens.toml").app
    for path in ("/healthz", "/models", "/v1/models"):
        assert json.loads(ask(app, path).body)["caller"] == "address 127.0.0.1"
    for path in ("/healthz", "/metrics", "/models/x"):
        answer = ask(app, path, ("authorization", f"Bearer {secret}"))
        assert json.loads(answer.body)["caller"] == "token ward-7"
    assert "/metrics" not in OPEN


def test_two_hosts_are_none() -> None:
    app = Application().app
    assert ask(app, "/healthz", ("host", "localhost"), ("host", "localhost")).code == "host_not_allowed"
    origin = ("origin", "http://localhost:8080")
    assert ask(app, "/healthz", origin).status == 200
    assert ask(app, "/healthz", origin, origin).code == "origin_not_allowed"


def test_a_forged_forwarded_for_changes_nobody() -> None:
    forged = ("x-forwarded-for", "198.51.100.1")
    app = Application(proxies=("10.0.0.2",)).app
    assert json.loads(ask(app, "/healthz", forged, address="192.0.2.7").body)["caller"] == "address 192.0.2.7"
    assert json.loads(ask(app, "/healthz", forged, address="10.0.0.2").body)["caller"] == "address 198.51.100.1"
    twice = [("x-forwarded-for", "127.0.0.1"), forged]
    assert json.loads(ask(app, "/healthz", *twice, address="10.0.0.2").body)["caller"] == "address 198.51.100.1"


def test_routes_are_noted_by_their_pattern() -> None:
    application = Application()
    for path in ("/kinds/fine", "/kinds/bug", "/nowhere/" + PROMPT):
        ask(application.app, path)
    assert [(route, status, code) for route, status, _, code in application.noted] == [
        ("/kinds/{kind}", 200, ""),
        ("/kinds/{kind}", 500, "internal_error"),
        ("unknown", 404, "not_found"),
    ]
    assert all(0 <= seconds < 1 for _, _, seconds, _ in application.noted)


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering(Application().app) as server:
        yield server


@pytest.mark.parametrize("kind", ["fine", "input", "engine", "bug", "refusal", "begun", "gone", "wait", PROMPT])
def test_no_log_holds_a_word_of_what_is_asked_or_answered(server: Answering, kind: str) -> None:
    """Of any logger, at any level, uvicorn's and asyncio's own among them."""
    with everything_logged() as logged:
        with server.connection() as connection:
            lines = f"authorization: Bearer {QUERY}", "connection: close"
            connection.send(request("POST", f"/kinds/{kind}?{QUERY}", PROMPT.encode(), *lines))
            if kind == "wait":
                assert server.busy()
            else:
                connection.rest()
        assert server.settled()
    text = "\n".join(logged)
    assert re.search(r"[0-9a-f]{32} POST /kinds/\{kind\} \d+ 0\.\d+ s, address 127\.0\.0\.1", text)
    assert [word for word in (PROMPT, ANSWER, QUERY, TEXT) if word in text] == []
    if kind in ("engine", "bug", "begun"):
        assert "test_gate.py" in text, "the places where it failed are told"
        assert "from KeyError" in text or kind == "begun"


def test_an_answer_that_breaks_off_is_not_taken_for_whole(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("POST", "/kinds/begun", PROMPT.encode()))
        received = connection.rest()
    assert ANSWER.encode() in received
    assert not received.endswith(b"0\r\n\r\n")


def test_a_caller_who_goes_is_seen_through_both(server: Answering) -> None:
    with everything_logged() as lines:
        with server.connection() as connection:
            connection.send(request("POST", "/kinds/wait", PROMPT.encode()))
            assert server.busy()
        assert server.settled()
    assert any(" 499 0." in line for line in lines)
    assert not any(line.startswith(("uvicorn", "asyncio")) and " ERROR " in line for line in lines)


def test_no_middleware_hides_that_a_caller_has_gone() -> None:
    """Starlette's ``BaseHTTPMiddleware``, and what is built on it, keeps the news from the endpoint."""
    folder = Path(next(iter(edgekit.serve.__path__)))
    files = sorted(folder.rglob("*.py"))
    assert len(files) > 20
    imported: list[str] = []
    middlewares: list[str] = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported += [f"{node.module}.{name.name}" for name in node.names]
            elif isinstance(node, ast.Import):
                imported += [name.name for name in node.names]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Middleware":
                middlewares += [argument.id for argument in node.args if isinstance(argument, ast.Name)]
            assert not (isinstance(node, ast.Attribute) and node.attr in ("BaseHTTPMiddleware", "add_middleware")), file
    own = [name for name in imported if name.startswith("starlette.middleware")]
    assert set(own) == {"starlette.middleware.Middleware"}
    assert middlewares == ["Envelope", "Border"]


def test_a_refusal_is_no_failure() -> None:
    with everything_logged() as lines:
        assert ask(Application().app, "/kinds/stopping", method="POST").code == "service_stopping"
    assert not any(" ERROR " in line for line in lines)
    assert lines[-1].endswith(": service_stopping")


def test_a_debug_level_is_what_shows_places() -> None:
    with everything_logged() as lines:
        logging.getLogger("edgekit").setLevel(logging.INFO)
        ask(Application().app, "/kinds/bug", method="POST")
    assert any("failed: ValueError from KeyError" in line for line in lines)
    assert not any("test_gate.py" in line for line in lines)
