"""The description of the API against the OpenAPI specification's own rules, and against the application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from starlette.routing import Route

from edgekit.serve.app import UNSERVED, routes
from edgekit.serve.openai.documents import ChatCompletion
from edgekit.serve.openapi import description
from edgekit.serve.ward.table import routes as ward_routes
from tests.asgi import get, on_loop, post
from tests.toy_service import toy

API = description()
UNDESCRIBED = {"/", "/page/{path}", "/health", "/metrics", "/openapi.json"}
"""A page and its files, another name of ``/healthz``, what is Prometheus' own, and the description itself."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in API["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def values(document: Any, key: str) -> Iterator[Any]:
    """Every value of a key, however deep."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from values(value, key)


def resolve(reference: str) -> Any:
    document: Any = API
    assert reference.startswith("#/")
    for name in reference[2:].split("/"):
        document = document[name]
    return document


def test_it_has_what_every_description_must_have() -> None:
    assert API["openapi"] == "3.1.0"
    assert {"title", "version"} <= API["info"].keys()
    assert API["paths"]
    assert msgspec.json.decode(msgspec.json.encode(API)) == API
    assert [server["url"] for server in API["servers"]] == ["."], "relative: the service may lie below a path"


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    references = set(values(API, "$ref"))
    assert all(isinstance(resolve(reference), dict) for reference in references)
    assert {reference.rpartition("/")[2] for reference in references} == API["components"]["schemas"].keys()


def test_every_operation_has_a_name_of_its_own_and_answers() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    for path, _, operation in operations():
        assert operation["summary"]
        assert {"200", "201", "204"} & operation["responses"].keys(), path
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            assert ("content" in response) == (status != "204")
            if status[0] != "2":
                assert response["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorDocument")


def test_what_an_answer_leads_to_is_there_and_takes_what_it_is_given() -> None:
    named = {operation["operationId"]: operation for _, _, operation in operations()}
    links = [link for document in values(API, "links") for link in document.values()]
    assert len(links) > 8
    for link in links:
        parts = {parameter["name"] for parameter in named[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= parts


def test_the_parameters_of_a_path_are_described_and_no_others() -> None:
    for path, _, operation in operations():
        parameters = operation.get("parameters", [])
        assert all({"name", "in", "schema"} <= parameter.keys() for parameter in parameters)
        inside = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        assert inside == set(re.findall(r"{(\w+)}", path))
        assert all(parameter["required"] is True for parameter in parameters if parameter["in"] == "path")


def test_security_names_what_is_described() -> None:
    for requirement in API["security"]:
        assert requirement.keys() <= API["components"]["securitySchemes"].keys()
    assert {} in API["security"], "a site without tokens asks for none"


@on_loop
async def test_every_route_is_described_or_is_not_for_a_reason() -> None:
    async with toy() as running:
        table = {
            (route.path.replace(":path}", "}"), method.lower())
            for route in (*routes(running.service), *ward_routes(running.desk))
            if isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD"}
        }
    described = {(path, method) for path, method, _ in operations()}
    assert described <= table
    rest = {path for path, _ in table - described}
    assert not any(path.startswith("/api/") for path in rest), "each method of the page's API is described"
    unversioned = {path.removeprefix("/v1") for path, _ in described if path.startswith("/v1/")}
    assert rest == UNDESCRIBED | unversioned
    assert not any(path.strip("/").startswith(UNSERVED) for path, _ in described)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 429, 500, 501, 503, 504])
def test_each_status_that_a_question_may_get_is_described(status: int) -> None:
    for path in ("/v1/chat/completions", "/v1/responses"):
        assert str(status) in API["paths"][path]["post"]["responses"]


@on_loop
async def test_what_is_served_is_what_is_described() -> None:
    async with toy() as running:
        served = await get(running.app, "/openapi.json")
        assert served.headers["content-type"] == "application/json"
        assert served.json() == API
        call = await post(running.app, "/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}).done()
        schema = resolve("#/components/schemas/ChatCompletion")
        assert call.json().keys() == schema["properties"].keys() >= set(schema["required"])
        assert msgspec.json.decode(call.body, type=ChatCompletion, strict=True)


def test_what_must_be_given_is_little() -> None:
    schemas = API["components"]["schemas"]
    assert schemas["ChatRequest"]["required"] == ["messages"]
    assert schemas["ResponseRequest"]["required"] == ["input"]
    assert schemas["Message"]["required"] == ["role"]
    nullable = [name for name, schema in schemas["ChatRequest"]["properties"].items() if "null" in str(schema)]
    assert {"temperature", "n", "seed", "stop", "max_tokens"} <= set(nullable)
