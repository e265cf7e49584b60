"""Whether the service lives, whether it can be asked, and its figures: none of it waits for the engine."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from edgekit.serve.asgi import respond, respond_json
from edgekit.serve.metrics import CONTENT_TYPE
from edgekit.serve.service import Service


class Health:
    """``GET /healthz``: the process answers."""

    name = "healthz"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond_json(send, 200, {"status": "ok"})


class Ready:
    """``GET /readyz``: 200 where a question would be taken, else 503 and why not."""

    name = "readyz"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        service.require_open()
        waiting = len(service.engine.waiting)
        running = len(service.engine.live) - waiting
        slots = service.model.engine.slots
        document = {"status": "ready", "slots": slots, "running": running, "waiting": waiting}
        await respond_json(send, 200, document)


class Figures:
    """``GET /metrics``: Prometheus' text format."""

    name = "metrics"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 200, self._service.metrics.text(), {"content-type": CONTENT_TYPE})
