"""OpenAI's own library for Python, unchanged, against a service: ``with_openai.py OPEN NARROW SECRET OTHER``.

OPEN is the address of a service that anybody may ask, NARROW of one with a single slot and short limits that lets in
whoever has SECRET, or is another caller with OTHER. Each check's name is printed once it has passed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Literal

import openai
from openai import AsyncOpenAI, OpenAI
from pictures import data_url
from pydantic import BaseModel, Field

OPEN, NARROW, SECRET, OTHER = sys.argv[1:5]
ENDLESS: dict[str, int] = {"2": -100}
"""Without the token that ends it, an answer goes on as long as it may."""

client = OpenAI(base_url=f"{OPEN}/v1", api_key="none", max_retries=0)
model = client.models.list().data[0].id


def seen(text: str, *shades: int) -> list[Any]:
    """Return a question about pictures."""
    pictures = [{"type": "image_url", "image_url": {"url": data_url(shade), "detail": "low"}} for shade in shades]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *pictures]}]


class Finding(BaseModel):
    """What an answer is to look like."""

    kind: Literal["opacity", "effusion", "none"]
    sure: bool
    words: list[Literal["left", "right"]] = Field(max_length=2)


def check_whole_and_stream() -> None:
    asked = seen("Describe the image.", 10, 90)
    whole = client.chat.completions.create(model=model, messages=asked, max_tokens=24)
    assert whole.usage is not None
    text = whole.choices[0].message.content
    assert text
    options: Any = {"include_usage": True}
    stream = client.chat.completions.create(
        model=model, messages=asked, max_tokens=24, stream=True, stream_options=options
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[-1] == whole.choices[0].finish_reason
    assert set(reasons[:-1]) == {None}
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert whole._request_id is not None


def check_stream_helper() -> None:
    with client.chat.completions.stream(model=model, messages=seen("Describe.", 30), max_tokens=12) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content


def check_parse() -> None:
    for temperature in (0.0, 1.5):
        parsed = client.chat.completions.parse(
            model=model, messages=seen("What is it?", 60), response_format=Finding, temperature=temperature, seed=1
        )
        finding = parsed.choices[0].message.parsed
        assert isinstance(finding, Finding)
    with client.chat.completions.stream(model=model, messages=seen("?", 60), response_format=Finding) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Finding)


def check_json_object() -> None:
    form: Any = {"type": "json_object"}
    answer = client.chat.completions.create(
        model=model, messages=seen("As JSON.", 60), response_format=form, max_tokens=300
    )
    assert (answer.choices[0].message.content or "").startswith("{")
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def check_logprobs_and_n() -> None:
    answer = client.chat.completions.create(
        model=model, messages=seen("?", 1), n=2, temperature=2, seed=3, max_tokens=9, logprobs=True, top_logprobs=4
    )
    assert [choice.index for choice in answer.choices] == [0, 1]
    for choice in answer.choices:
        assert choice.logprobs is not None
        assert choice.logprobs.content is not None
        assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
        assert {len(token.top_logprobs) for token in choice.logprobs.content} == {4}


def check_errors_have_types() -> None:
    hello: Any = [{"role": "user", "content": "Hello"}]
    missing = fails(openai.NotFoundError, model="gpt-none", messages=hello)
    assert (missing.code, missing.param, missing.type) == ("model_not_found", "model", "invalid_request_error")
    tools: Any = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    unserved = fails(openai.BadRequestError, model=model, messages=hello, tools=tools)
    assert (unserved.code, unserved.param) == ("unsupported_parameter", "tools")
    long = fails(openai.BadRequestError, model=model, messages=[{"role": "user", "content": "word " * 3000}])
    assert long.code == "context_length_exceeded"
    try:
        client.embeddings.create(model=model, input="x")
    except openai.NotFoundError as error:
        assert error.code == "unsupported_endpoint"
    else:
        raise AssertionError("embeddings were served")


def fails(kind: type[openai.APIStatusError], **fields: Any) -> openai.APIStatusError:
    """Ask, and return the error, which has to be of its kind."""
    try:
        client.chat.completions.create(**fields)
    except openai.APIStatusError as error:
        assert type(error) is kind, error
        assert error.request_id
        return error
    raise AssertionError("it was answered")


def check_models() -> None:
    assert client.models.retrieve(model).id == model
    assert model in {entry.id for entry in client.models.list()}


def check_keys() -> None:
    try:
        OpenAI(base_url=f"{NARROW}/v1", api_key="sk-proj-other").models.list()
    except openai.AuthenticationError as error:
        assert error.code == "token_wrong"
    else:
        raise AssertionError("a wrong key was let in")
    assert OpenAI(base_url=NARROW, api_key=SECRET).models.list().data[0].id == model  # the base without its version


def check_who_is_refused_does_not_come_again() -> None:
    """More than may wait are asked at once, by clients that would try each twice more if they were not told."""
    asyncio.run(_crowd())


async def _crowd() -> None:
    sent: list[str] = []

    def asking(secret: str) -> AsyncOpenAI:
        async def count(request: Any) -> None:
            sent.append(secret)

        crowd = AsyncOpenAI(base_url=f"{NARROW}/v1", api_key=secret)
        assert crowd.max_retries == 2
        crowd._client.event_hooks["request"].append(count)
        return crowd

    async with asking(SECRET) as one, asking(OTHER) as other:
        first = [asyncio.create_task(_go_on(one)) for _ in range(16)]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)  # as many as may wait of one caller do
        others = await asyncio.gather(*(_go_on(other) for _ in range(12)))
        ends = await asyncio.gather(*first)
    assert (sent.count(SECRET), sent.count(OTHER)) == (16, 12)
    assert "answered" in ends
    assert ends.count("429 too_many_requests") >= 4, ends
    assert others.count("503 queue_full") >= 1, others
    assert "stream queue_timeout" in ends, ends  # what goes wrong after a stream's beginning raises, too


async def _go_on(asking: AsyncOpenAI) -> str:
    """Have an endless answer, and return how it ended."""
    hello: Any = [{"role": "user", "content": "Go on."}]
    try:
        async for _ in await asking.chat.completions.create(
            model=model, messages=hello, max_tokens=900, logit_bias=ENDLESS, stream=True
        ):
            pass
    except openai.APIStatusError as error:
        assert error.response.headers["x-should-retry"] == "false"
        assert int(error.response.headers["retry-after"]) >= 1
        return f"{error.status_code} {error.code}"
    except openai.APIError as error:  # a stream that had begun
        return f"stream {error.code}"
    return "answered"


def check_responses() -> None:
    picture: Any = {"type": "input_image", "image_url": data_url(40), "detail": "auto"}
    asked: Any = [{"role": "user", "content": [picture, {"type": "input_text", "text": "Describe."}]}]
    whole = client.responses.create(model=model, input=asked, instructions="Be brief.", max_output_tokens=8)
    assert whole.output_text
    assert whole.usage is not None
    assert whole.usage.output_tokens == 8
    events = list(
        client.responses.create(model=model, input=asked, instructions="Be brief.", max_output_tokens=8, stream=True)
    )
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    assert events[-1].type == "response.incomplete"
    parsed = client.responses.parse(model=model, input="What is it?", text_format=Finding)
    assert isinstance(parsed.output_parsed, Finding)
    with client.responses.stream(model=model, input="What is it?", max_output_tokens=400) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name)
