"""The application: which path is whose, behind the two middlewares that every request passes.

Every path of the API is there with ``/v1`` and without: clients differ in what they take for the base.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from edgekit.serve.gate import Border, Envelope
from edgekit.serve.health import Figures, Health, Ready
from edgekit.serve.hosts import Hosts
from edgekit.serve.links import Links
from edgekit.serve.openai.chat import ChatCompletions, TakenUp
from edgekit.serve.openai.models import Model, Models
from edgekit.serve.openai.responses import Responses
from edgekit.serve.openapi import Description
from edgekit.serve.refusal import Refusal
from edgekit.serve.samples import SamplePicture, Samples
from edgekit.serve.service import Service
from edgekit.serve.static import Page
from edgekit.serve.ward import table as ward
from edgekit.serve.ward.desk import Desk

UNSERVED = ("completions", "embeddings", "audio/{rest:path}", "images/{rest:path}", "moderations", "files", "batches")
"""OpenAI's endpoints that a model of this kind has nothing to say at."""


def application(desk: Desk, certified: Callable[[], Collection[str]] = tuple) -> ASGIApp:
    """Return the ASGI application of a service, whose certificate is for the names that ``certified`` gives."""
    service = desk.service
    app = Starlette(
        routes=[*routes(service), *ward.routes(desk)],
        middleware=[
            Middleware(Envelope, note=service.metrics.note),
            Middleware(Border, hosts=Hosts(service.settings.hosts, certified), entrance=desk.entrance),
        ],
        exception_handlers={HTTPException: _refuse},
    )
    app.router.redirect_slashes = False  # a redirect names an address, which behind a proxy is not the caller's
    return app


def routes(service: Service) -> list[BaseRoute]:
    """Return every path that there is."""
    models = Models(service, int(time.time()))
    links = Links(service)
    page = Page()
    api: list[tuple[str, str, ASGIApp]] = [
        ("POST", "/chat/completions", ChatCompletions(service, links)),
        ("GET", "/chat/completions/{conversation}", TakenUp(links)),
        ("POST", "/responses", Responses(service)),
        ("GET", "/models", models),
        ("GET", "/models/{name:path}", Model(service, models)),
    ]
    table: list[BaseRoute] = [
        Route(base + path, endpoint, methods=[method]) for base in ("/v1", "") for method, path, endpoint in api
    ]
    table += [Route(f"{base}/{path}", Unserved()) for base in ("/v1", "") for path in UNSERVED]
    table += [
        Route("/", page, methods=["GET"]),
        Route("/page/{path:path}", page, methods=["GET"]),
        Route("/healthz", Health(), methods=["GET"]),
        Route("/health", Health(), methods=["GET"]),
        Route("/readyz", Ready(service), methods=["GET"]),
        Route("/metrics", Figures(service), methods=["GET"]),
        Route("/openapi.json", Description(), methods=["GET"]),
        Route("/api/samples", Samples(service), methods=["GET"]),
        Route("/api/samples/{name}", SamplePicture(service), methods=["GET"]),
    ]
    return table


class Unserved:
    """What others serve and this service does not, said by a code of its own."""

    name = "unserved"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise Refusal(404, "This endpoint is not served: ask at v1/chat/completions.", "unsupported_endpoint")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = sorted((error.headers or {}).get("Allow", "").split(", "))
        message = f"This method is not served here: send {' or '.join(allowed)}."
        raise Refusal(405, message, "method_not_allowed", headers=error.headers)
    raise Refusal(error.status_code, "There is nothing at this path.", "not_found")
