"""Bodies of requests: what is left alone, what is unset, and how each field that is wrong is named."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.serve.openai.request import MOST_VALUES, ChatRequest, Message, Part, parse
from edgekit.serve.openai.responses import ResponseRequest
from edgekit.serve.refusal import Refusal

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "What is it?"}]}
OPTIONAL = [name for name in ChatRequest.__struct_fields__ if name != "messages"]


def read(**fields: Any) -> ChatRequest:
    return parse(json.dumps(ASK | fields).encode(), ChatRequest)


def refused(body: bytes, form: Any = ChatRequest) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(body, form)
    assert caught.value.status == 400
    return caught.value


def test_a_request_is_read() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:,", "detail": "high"}}]
    request = read(messages=[{"role": "user", "content": parts}], n=2, stop=["x"], logit_bias={"5": -100})
    assert request.messages[0].role == "user"
    assert isinstance(request.messages[0].content, list)
    assert [part.type for part in request.messages[0].content] == ["text", "image_url"]
    assert (request.n, request.stop, request.logit_bias) == (2, ["x"], {"5": -100.0})


@pytest.mark.parametrize("name", OPTIONAL)
def test_null_is_unset(name: str) -> None:
    assert read(**{name: None}) == read()
    assert getattr(read(), name) is None


@pytest.mark.parametrize("name", [name for name in ResponseRequest.__struct_fields__ if name != "input"])
def test_null_is_unset_in_the_newer_api_too(name: str) -> None:
    body = json.dumps({"input": "x", name: None}).encode()
    assert parse(body, ResponseRequest) == ResponseRequest(input="x")


@settings(max_examples=20)
@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda name: name not in ChatRequest.__struct_fields__),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4), st.lists, max_leaves=5),
        max_size=3,
    )
)
def test_unknown_fields_are_left_alone(fields: dict[str, Any]) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "x", **_unlike(fields, Part)}]}
    request = read(messages=[message | _unlike(fields, Message)], **fields)
    assert request == read(messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}])


def _unlike(fields: dict[str, Any], form: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in form.__struct_fields__}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": "x"}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{"role": 5}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"messages": [ASK["messages"][0], {"role": "user", "content": [{"type": 1}]}]}, "messages[1].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content[0].text"),
        ({"model": 5}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 101}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"top_k": -2}, "top_k"),
        ({"min_p": 2}, "min_p"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
        ({"seed": 1.5}, "seed"),
        ({"stop": 5}, "stop"),
        ({"stop": ["x", 5]}, "stop[1]"),
        ({"logit_bias": {"5": 101}}, "logit_bias[...]"),
        ({"logit_bias": [5]}, "logit_bias"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"logprobs": 1}, "logprobs"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": -1}, "top_logprobs"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": 5}}, "response_format.json_schema"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"service_tier": 5}, "service_tier"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"frequency_penalty": -3}, "frequency_penalty"),
        ({"tools": "all"}, "tools"),
        ({"modalities": ["text", 5]}, "modalities[1]"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    refusal = refused(json.dumps(ASK | fields).encode())
    assert (refusal.code, refusal.param) == ("invalid_value", param)
    assert refusal.message.startswith(f"'{param}': ")


@pytest.mark.parametrize(
    ("body", "form", "param"),
    [
        (b"{}", ChatRequest, "messages"),
        (b'{"messages": [{"content": "x"}]}', ChatRequest, "messages[0].role"),
        (b'{"messages": [{"role": "user", "content": [{"text": "x"}]}]}', ChatRequest, "messages[0].content[0].type"),
        (b'{"messages": [], "response_format": {}}', ChatRequest, "response_format.type"),
        (b"{}", ResponseRequest, "input"),
        (b'{"input": "x", "text": {"format": {}}}', ResponseRequest, "text.format.type"),
    ],
)
def test_what_is_missing_is_named(body: bytes, form: Any, param: str) -> None:
    refusal = refused(body, form)
    assert (refusal.code, refusal.param) == ("invalid_value", param)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{]",
        b"{'messages': []}",
        b'{"messages": []} {}',
        b'{"messages": NaN}',
        b'{"messages": [], "temperature": Infinity}',
        b'{"messages": [{"role": "\xff"}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        '{"messages": []}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    refusal = refused(body)
    assert (refusal.code, refusal.param) == ("invalid_json", None)


@pytest.mark.parametrize("body", [b"5", b"[]", b"null", b'"x"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    assert refused(body).code == "invalid_value"


@pytest.mark.parametrize("depth", [100, 20_000])
def test_what_is_nested_deeply_is_left_alone_or_refused(depth: int) -> None:
    for name in ("unknown", "tool_choice", "tools"):
        value = "[" * depth + "]" * depth
        body = f'{{"messages": [], "{name}": {value}}}'.encode()
        try:
            assert parse(body, ChatRequest).messages == []
        except Refusal as refusal:
            assert (refusal.status, refusal.code) == (400, "invalid_json")


@pytest.mark.parametrize("digits", [19, 40, 400, 5000])
def test_a_number_of_any_length_is_a_seed_or_is_refused(digits: int) -> None:
    body = b'{"messages": [], "seed": ' + b"9" * digits + b"}"
    try:
        assert str(parse(body, ChatRequest).seed) == "9" * digits
    except Refusal as refusal:
        assert refusal.status == 400


def test_penalties_that_change_nothing_and_limits_themselves_are_taken() -> None:
    request = read(temperature=100, top_p=0, top_k=-1, top_logprobs=20, presence_penalty=-2, repetition_penalty=0.01)
    assert (request.temperature, request.top_p, request.top_k, request.top_logprobs) == (100, 0, -1, 20)


@pytest.mark.parametrize("form", [ChatRequest, ResponseRequest])
@pytest.mark.parametrize("field", ["tools", "unknown", "input", "messages"])
def test_more_values_than_anybody_means_are_refused_before_they_are_made(form: Any, field: str) -> None:
    """Of ten megabytes of them, Python makes seven hundred, and everybody waits meanwhile."""
    body = json.dumps({field: [[]] * 200_000}).encode()
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as caught:
            parse(body, form)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert (caught.value.status, caught.value.code) == (413, "too_many_values")


def test_as_many_values_as_are_allowed_are_read() -> None:
    text = "," * (MOST_VALUES - 2)
    assert read(messages=[{"role": "user", "content": text}]).messages[0].content == text


def test_a_value_that_is_wrong_is_not_repeated_at_length() -> None:
    refusal = refused(json.dumps(ASK | {"response_format": {"type": "x" * 10**6}}).encode())
    assert refusal.param == "response_format.type"
    assert len(refusal.message) < 500
