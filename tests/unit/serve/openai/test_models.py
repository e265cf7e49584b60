"""The one model that is here, under each of its names."""

from __future__ import annotations

import time

import msgspec
import pytest

from edgekit.serve.openai.documents import ModelDocument, ModelList
from edgekit.serve.settings import Settings
from tests.asgi import get, on_loop
from tests.toy_service import Talking, toy

SITE = Settings(aliases=("llava-med", "org/llava-med:latest"))


@on_loop
async def test_the_list_has_every_name_and_says_what_is_behind_it() -> None:
    before = int(time.time())
    async with toy(Talking(slots=2, context=256), settings=SITE) as running:
        models = msgspec.json.decode((await get(running.app, "/v1/models")).body, type=ModelList, strict=True)
        assert models.object == "list"
        assert [model.id for model in models.data] == ["toy", "llava-med", "org/llava-med:latest"]
        facts = models.data[0].edgekit
        assert (facts.context, facts.slots, facts.recipe, facts.licence) == (256, 2, "q4", "MIT")
        assert facts.fingerprint == running.service.fingerprint
        assert all(model.edgekit == facts for model in models.data)
        assert all(before <= model.created <= time.time() for model in models.data)
        assert (await get(running.app, "/models")).json() == (await get(running.app, "/v1/models")).json()


@pytest.mark.parametrize("name", ["toy", "llava-med", "org/llava-med:latest"])
@on_loop
async def test_a_model_is_there_under_each_name(name: str) -> None:
    async with toy(settings=SITE) as running:
        call = await get(running.app, f"/v1/models/{name}")
        assert msgspec.json.decode(call.body, type=ModelDocument, strict=True).id == name


@pytest.mark.parametrize("name", ["other", "toy/", "org", "", "TOY"])
@on_loop
async def test_another_name_is_nobodys(name: str) -> None:
    async with toy(settings=SITE) as running:
        refused = (await get(running.app, f"/v1/models/{name}")).error(404, "model_not_found")
        assert refused["param"] == "model"
        assert "llava-med" in refused["message"]
