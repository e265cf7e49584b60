"""``GET /api/samples``: pictures to try, with a question each, where whoever serves has some; they are nobody's.

A service of a ward has none, and answers so: a browser would write an error into its console for each 404.
"""

from __future__ import annotations

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit.serve.asgi import respond, respond_json
from edgekit.serve.refusal import Refusal
from edgekit.serve.service import Service


class SampleDocument(msgspec.Struct):
    """A picture to try, and a question to ask about it."""

    name: str
    question: str


class SampleList(msgspec.Struct):
    """The pictures to try; a service that is no demo's has none."""

    samples: list[SampleDocument]


class Samples:
    """The endpoint that lists them."""

    name = "samples"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rows = [SampleDocument(sample.name, sample.question) for sample in self._service.samples]
        await respond_json(send, 200, SampleList(rows))


class SamplePicture:
    """``GET /api/samples/{name}``: a sample's picture."""

    name = "sample"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path_params"]["name"]
        content = next((sample.content for sample in self._service.samples if sample.name == name), None)
        if content is None:
            raise Refusal(404, "There is no such sample.", "not_found")
        await respond(send, 200, content, {"content-type": "image/png", "cache-control": "no-store"})
