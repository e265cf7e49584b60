"""What a request wishes for: everything that it says of its answers, within what the service and its site allow."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.openai.wish import wish_of
from edgekit.serve.refusal import Refusal
from tests.asgi import on_loop
from tests.fake_engine import VOCAB
from tests.toy_service import Talking, toy


def request(**fields: Any) -> ChatRequest:
    return msgspec.convert({"messages": []} | fields, ChatRequest)


@on_loop
async def test_a_wish_is_what_the_fields_say() -> None:
    async with toy(Talking(context=96)) as running:
        wish = wish_of(
            request(n=2, seed=7, service_tier="flex", response_format={"type": "json_object"}), running.service, 2
        )
        assert [(params.seed, params.max_tokens) for params in wish.params] == [(7, 96), (8, 96)]
        assert wish.batch
        assert wish.schema == {"type": "object"}
        plain = wish_of(request(service_tier="auto"), running.service, 1)
        assert (len(plain.params), plain.batch, plain.schema) == (1, False, None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{}]}, "tools"),
        ({"n": 3}, "n"),
        ({"max_tokens": 41}, "max_tokens"),
        ({"logit_bias": {str(VOCAB): 1}}, "logit_bias"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
    ],
)
@on_loop
async def test_what_cant_be_had_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    async with toy(answer_tokens=40) as running:
        with pytest.raises(Refusal) as refused:
            wish_of(request(**fields), running.service, 2)
        assert (refused.value.status, refused.value.param) == (400, param)
