"""``GET /v1/models``: the one model that is here, under each of its names."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from edgekit.serve.asgi import respond_json
from edgekit.serve.openai.documents import ModelDocument, ModelFacts, ModelList
from edgekit.serve.service import Service


class Models:
    """The endpoint of the list."""

    name = "models"

    def __init__(self, service: Service, created: int) -> None:
        self._service = service
        self._created = created

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond_json(send, 200, ModelList(data=[self.document(name) for name in self._service.names]))

    def document(self, name: str) -> ModelDocument:
        """Return the model under one of its names."""
        service = self._service
        spec = service.manifest.spec
        facts = ModelFacts(
            context=service.model.engine.context,
            slots=service.model.engine.slots,
            recipe=service.manifest.recipe.name,
            fingerprint=service.fingerprint,
            licence=spec.licence,
            intended_use=spec.intended_use,
        )
        return ModelDocument(id=name, created=self._created, edgekit=facts)


class Model:
    """The endpoint of one: ``GET /v1/models/{name}``."""

    name = "models/{name}"

    def __init__(self, service: Service, models: Models) -> None:
        self._service = service
        self._models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._service.require_model(scope["path_params"]["name"])
        await respond_json(send, 200, self._models.document(name))
