"""The newer API's endpoint: what it takes, what it refuses by its own names, and a caller that goes."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from edgekit.serve.openai.conversation import conversation_of
from edgekit.serve.openai.responses import ResponseRequest
from edgekit.serve.openai.sampling import schema_of
from edgekit.serve.refusal import Refusal
from tests.asgi import Call, on_loop, post, until
from tests.toy_service import TEXT, Talking, Toy, toy

URL = {"role": "user", "content": [{"type": "input_image", "image_url": "https://host/x.png"}]}
PICTURE = "data:image/png;base64," + base64.b64encode(b"\x05").decode()


def ask(running: Toy, **fields: Any) -> Call:
    return post(running.app, "/v1/responses", {"input": "What is it?"} | fields)


def request(**fields: Any) -> ResponseRequest:
    return msgspec.convert({"input": "What is it?"} | fields, ResponseRequest)


def test_a_text_is_a_question() -> None:
    (message,) = request().chat().messages
    assert (message.role, message.content) == ("user", "What is it?")


def test_a_conversation_is_sent_whole_with_its_instructions_first() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "What?"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A rib."}]},
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [{"type": "input_image", "image_url": PICTURE}, {"type": "input_text", "text": "W?"}],
        },
    ]
    conversation = conversation_of(request(input=items, instructions="Be brief.").chat().messages)
    assert conversation.system == "Be brief.\n\nBe kind."
    assert [(turn.text, turn.images, turn.answer) for turn in conversation.questions] == [
        ("What?", (), "A rib."),
        ("W?", (b"\x05",), None),
    ]


def test_what_both_apis_have_means_the_same() -> None:
    chat = request(model="m", max_output_tokens=5, temperature=0.5, top_p=0.9, stream=True, service_tier="flex").chat()
    assert (chat.model, chat.max_completion_tokens, chat.temperature, chat.top_p) == ("m", 5, 0.5, 0.9)
    assert (chat.stream, chat.service_tier) == (True, "flex")


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (None, None),
        ({}, None),
        ({"format": {"type": "text"}}, None),
        ({"format": {"type": "json_object"}}, {"type": "object"}),
        ({"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {"a": 1}}}, {"a": 1}),
    ],
)
def test_the_form_of_the_text_is_a_schema(form: Any, schema: Any) -> None:
    assert schema_of(request(text=form).chat().response_format) == schema


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True}, "background"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
def test_what_is_not_served_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refusal) as caught:
        request(**fields).require_served()
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "unsupported_parameter", param)


@pytest.mark.parametrize("item", [{"type": "function_call"}, {"type": "item_reference", "id": "x"}, {"content": "x"}])
def test_an_item_that_is_no_message_is_refused_by_its_number(item: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        request(input=[{"role": "user", "content": "x"}, item]).chat()
    assert (caught.value.code, caught.value.param) == ("invalid_value", "input[1]")


@on_loop
async def test_a_response_comes_whole_or_as_events() -> None:
    async with toy() as running:
        whole = (await ask(running).done()).json()
        assert whole["object"] == "response"
        assert whole["output"][0]["content"][0]["text"] == TEXT
        stream = await ask(running, stream=True).done()
        assert stream.headers["x-accel-buffering"] == "no"
        deltas = [event["delta"] for event in stream.events() if event["type"] == "response.output_text.delta"]
        assert "".join(deltas) == TEXT
        assert not running.service.exchanges
        assert (
            await ask(running, tools=[], background=False, top_logprobs=0, store=True, reasoning={}).done()
        ).status == 200


@on_loop
async def test_pictures_and_forms_are_taken() -> None:
    async with toy() as running:
        content = [{"type": "input_image", "image_url": PICTURE}, {"type": "input_text", "text": "What?"}]
        form = {"format": {"type": "json_object"}}
        assert (await ask(running, input=[{"role": "user", "content": content}], text=form).done()).status == 200
        assert running.decoded == [b"\x05"]
        assert running.schemas.asked == [{"type": "object"}]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "other"}, 404, "model_not_found", "model"),
        ({"tools": [{}]}, 400, "unsupported_parameter", "tools"),
        ({"top_logprobs": 1}, 400, "unsupported_parameter", "top_logprobs"),
        ({"input": 5}, 400, "invalid_value", "input"),
        ({"max_output_tokens": 0}, 400, "invalid_value", "max_output_tokens"),
        ({"temperature": "hot"}, 400, "invalid_value", "temperature"),
        ({"text": {"format": {"type": "xml"}}}, 400, "invalid_value", "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, 400, "invalid_value", "text.format"),
        ({"text": {"format": {"type": "json_schema", "schema": {"wrong": 1}}}}, 400, "invalid_schema", "text.format"),
        ({"max_output_tokens": 41}, 400, "invalid_value", "max_output_tokens"),
        ({"input": "x" * 300}, 400, "context_length_exceeded", "input"),
        ({"input": []}, 400, "invalid_value", "input"),
        ({"input": [{"role": "tool", "content": "x"}]}, 400, "invalid_value", "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, 400, "invalid_value", "input[0].content[0].type"),
        ({"input": [URL], "instructions": "Be brief."}, 400, "unsupported_image_url", "input[0].content[0].image_url"),
    ],
)
@on_loop
async def test_a_refusal_names_its_field(stream: bool, fields: Any, status: int, code: str, param: str) -> None:
    async with toy(answer_tokens=40) as running:
        call = await ask(running, stream=stream, **fields).done()
        refused = call.error(status, code)
        assert refused["param"] == param
        assert not {"messages", "max_tokens", "response_format"} & set(refused["message"].replace("'", " ").split())
        assert not running.service.exchanges


@pytest.mark.parametrize("stream", [False, True])
@on_loop
async def test_a_caller_that_goes_ends_its_answer(stream: bool) -> None:
    engine = Talking(slots=1, held=True)
    async with toy(engine) as running:
        call = ask(running, stream=stream)
        engine.let(3)
        await until(lambda: engine.entered == 4)
        await call.leave()
        assert not running.service.exchanges
        engine.let()
        await until(lambda: not running.service.engine.live)


@on_loop
async def test_a_service_that_stops_takes_none() -> None:
    async with toy() as running:
        running.service.stop()
        (await ask(running).done()).error(503, "service_stopping")
