"""``GET /openapi.json``: the API described by the types that read its requests and write its answers."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit import __version__
from edgekit.serve.asgi import respond
from edgekit.serve.openai.documents import ChatCompletion, ErrorDocument, ModelDocument, ModelList
from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.openai.response import Response
from edgekit.serve.openai.responses import ResponseRequest
from edgekit.serve.samples import SampleList
from edgekit.serve.ward.description import OPERATIONS
from edgekit.serve.ward.description import TYPES as WARD_TYPES
from edgekit.serve.ward.operation import Operation

_TYPES = (ChatRequest, ChatCompletion, ResponseRequest, Response, ErrorDocument, ModelDocument, ModelList, SampleList)
_JSON = "application/json"
_ERRORS = {
    400: "A field is wrong, or the conversation does not fit into the context; nothing is cut in silence.",
    401: "There is no token and no session, or a wrong one, or the session is locked.",
    403: "The request names another host, comes from a page of another origin, or this is for others.",
    404: "There is no such model, conversation, or path.",
    405: "The path does not take this method.",
    408: "The request was not complete in time.",
    409: "The last answer is still being written, what is to go is in use, or as much is kept as may be.",
    413: "The request, a picture's file, or the text is too large.",
    415: "The body is no picture that can be read.",
    429: "Too many requests of this caller are waiting; Retry-After says how long to wait.",
    500: "The model, or the service, failed at this request.",
    501: "What the picture needs is not installed.",
    503: "The queue is full, or the service is stopping; Retry-After says how long to wait.",
    507: "The disk is full; nothing of this was kept.",
    504: "No slot came free, or the answer was not whole, in time.",
}
_ASKED_ERRORS = tuple(status for status in _ERRORS if status not in (415, 507))
"""What may go wrong with a question over OpenAI's API, which keeps nothing."""
_TOKEN = {"type": "http", "scheme": "bearer"}
_SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "name": "__Host-edgekit",
    "description": "Of POST api/session; without TLS, at the machine itself, it is called edgekit. With it, whatever "
    "is no GET needs the header x-csrf-token, as GET api/session tells it.",
}
_PART = re.compile(r"{(\w+)}")
_PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
_ASKED = [{"type": "text", "text": "Is there an effusion?"}, {"type": "image_url", "image_url": {"url": _PICTURE}}]
_YES_OR_NO = {"name": "finding", "schema": {"type": "object", "properties": {"effusion": {"type": "boolean"}}}}
_CHATS = {
    "whole": {"messages": [{"role": "user", "content": _ASKED}], "max_tokens": 16, "logprobs": True, "top_logprobs": 2},
    "stream": {"messages": [{"role": "user", "content": "What is an effusion?"}], "max_tokens": 16, "stream": True},
    "form": {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": _ASKED}],
        "response_format": {"type": "json_schema", "json_schema": _YES_OR_NO},
        "max_tokens": 64,
    },
}
_RESPONSES = {
    "whole": {"input": "What is an effusion?", "instructions": "Be brief.", "max_output_tokens": 16},
    "stream": {"input": [{"role": "user", "content": "What is it?"}], "max_output_tokens": 16, "stream": True},
}


def description() -> dict[str, Any]:
    """Return the API in OpenAPI 3.1."""
    _, schemas = msgspec.json.schema_components((*_TYPES, *WARD_TYPES), ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EdgeKit",
            "version": __version__,
            "description": "Questions about pictures, by OpenAI's API. Every path below v1 is there without it, too.",
        },
        "servers": [{"url": "."}],
        "paths": _paths() | _ward_paths(),
        "components": {"schemas": schemas, "securitySchemes": {"token": _TOKEN, "session": _SESSION}},
        "security": [{}, {"token": []}, {"session": []}],
    }


def _ward_paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(path, operation)
    return paths


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PART.findall(path)
    ]
    queries = [{"name": name, "in": "query", "schema": schema} for name, schema in operation.query.items()]
    kinds = {**_kind(operation.answer), **{kind: {} for kind in operation.also}}
    answer: dict[str, Any] = {"description": operation.summary}
    if kinds:
        answer["content"] = kinds
    if operation.leads_to:
        answer["links"] = {id: {"operationId": id, "parameters": dict(at)} for id, at in operation.leads_to.items()}
    described = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [*parts, *queries],
        "responses": {str(operation.status): answer, **_errors(*sorted(operation.errors))},
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _kind(operation.body, operation.example)}
    return described


def _kind(kind: type | str | None, example: Any = None) -> dict[str, Any]:
    """What a body may be, by its media type."""
    if kind is None:
        return {}
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string", "format": "binary"}} if kind != "text/event-stream" else {}}
    return {_JSON: {"schema": _reference(kind.__name__), **({} if example is None else {"example": example})}}


def _paths() -> dict[str, Any]:
    conversation = {
        "name": "X-Conversation-Id",
        "in": "header",
        "description": "Made at random by the caller: by it, an answer whose link broke is taken up again.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,128}$"},
    }
    stream = {"description": "The answer, whole or as events.", "content": _content("ChatCompletion", events=True)}
    response = {"description": "The response, whole or as events.", "content": _content("Response", events=True)}
    events = {"description": "The answer's events behind the offset.", "content": {"text/event-stream": {}}}
    return {
        "/v1/chat/completions": {
            "post": {
                "operationId": "complete",
                "summary": "Continue a conversation",
                "parameters": [conversation],
                "requestBody": _body("ChatRequest", _CHATS),
                "responses": {"200": stream, **_errors(*_ASKED_ERRORS)},
            }
        },
        "/v1/responses": {
            "post": {
                "operationId": "respond",
                "summary": "Continue a conversation, by the newer API",
                "requestBody": _body("ResponseRequest", _RESPONSES),
                "responses": {"200": response, **_errors(*_ASKED_ERRORS)},
            }
        },
        "/v1/chat/completions/{conversation}": {
            "get": {
                "operationId": "take_up",
                "summary": "Take up an answer whose link broke",
                "parameters": [
                    {"name": "conversation", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}},
                    {"name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "minimum": 0}},
                ],
                "responses": {"200": events, **_errors(400, 401, 403, 404, 405, 408, 500, 503)},
            }
        },
        "/v1/models": {"get": _get("models", "The names of the model that is here", "ModelList")},
        "/v1/models/{name}": {
            "get": {
                **_get("model", "The model under one of its names", "ModelDocument"),
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            }
        },
        **_beside(),
    }


def _beside() -> dict[str, Any]:
    """What no client of OpenAI's asks for."""
    picture = {
        "operationId": "sample",
        "summary": "A picture to try",
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "The picture.", "content": {"image/png": {}}},
            **_errors(401, 403, 404, 405, 408, 500, 503),
        },
    }
    return {
        "/api/samples": {"get": _get("samples", "Pictures to try, where this service has some", "SampleList")},
        "/api/samples/{name}": {"get": picture},
        "/healthz": {"get": _get("health", "Whether the process answers", None)},
        "/readyz": {"get": _get("ready", "Whether a question would be taken", None)},
    }


def _body(document: str, examples: dict[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {_JSON: {"schema": _reference(document), "examples": shown}}}


def _get(id: str, summary: str, document: str | None) -> dict[str, Any]:
    content = _content(document) if document else {_JSON: {"schema": {"type": "object"}}}
    answer = {"200": {"description": summary, "content": content}}
    return {
        "operationId": id,
        "summary": summary,
        "responses": {**answer, **_errors(401, 403, 404, 405, 408, 500, 503)},
    }


def _content(document: str, *, events: bool = False) -> dict[str, Any]:
    return {_JSON: {"schema": _reference(document)}, **({"text/event-stream": {}} if events else {})}


def _errors(*statuses: int) -> dict[str, Any]:
    content = _content("ErrorDocument")
    return {str(status): {"description": _ERRORS[status], "content": content} for status in statuses}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


class Description:
    """The endpoint; what it says is written once."""

    name = "openapi.json"

    def __init__(self) -> None:
        self._text = msgspec.json.encode(description())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 200, self._text, {"content-type": _JSON})
