"""From a request's fields to how an answer is drawn: what counts, what is off, and what is refused by its name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgekit.runtime import SamplingParams
from edgekit.serve.grammars import ANY_OBJECT
from edgekit.serve.openai.request import ChatRequest, ResponseFormat
from edgekit.serve.openai.sampling import (
    FOREIGN_FORMS,
    MAX_BIASES,
    MAX_STOP_LENGTH,
    MAX_STOPS,
    params_of,
    require_served,
    schema_of,
)
from edgekit.serve.refusal import Refusal

CONTEXT, VOCAB, SLOTS = 96, 260, 4


def request(**fields: Any) -> ChatRequest:
    return msgspec.convert({"messages": []} | fields, ChatRequest)


def params(**fields: Any) -> SamplingParams:
    (params,) = params_of(request(**fields), CONTEXT, VOCAB)
    return params


def refused(**fields: Any) -> Refusal:
    """The refusal of a request, by either of the two that look at it."""
    with pytest.raises(Refusal) as caught:
        require_served(request(**fields), SLOTS)
        params_of(request(**fields), CONTEXT, VOCAB)
    assert caught.value.status == 400
    return caught.value


def test_without_a_wish_the_likeliest_token_is_taken_until_the_context_ends() -> None:
    assert params() == SamplingParams(max_tokens=CONTEXT)


def test_each_wish_counts() -> None:
    asked = params(
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.1,
        repetition_penalty=1.2,
        stop=["a", "b"],
        seed=7,
        logprobs=True,
        top_logprobs=3,
        logit_bias={"0": 1.5, "259": -100},
    )
    assert asked == SamplingParams(
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.1,
        repetition_penalty=1.2,
        stop=("a", "b"),
        seed=7,
        logprobs=3,
        logit_bias=((0, 1.5), (259, -100.0)),
    )


def test_the_newer_name_counts() -> None:
    assert params(max_tokens=9, max_completion_tokens=4).max_tokens == 4
    assert params(max_completion_tokens=4).max_tokens == 4


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"top_p": 0}, "top_p", 1e-6),
        ({"top_k": -1}, "top_k", 0),
        ({"logprobs": True}, "logprobs", 0),
        ({"logprobs": False}, "logprobs", None),
        ({"logprobs": True, "top_logprobs": 20}, "logprobs", 20),
        ({"stop": "x"}, "stop", ("x",)),
        ({"stop": []}, "stop", ()),
        ({"temperature": 0}, "temperature", 0.0),
        ({"logit_bias": {}}, "logit_bias", ()),
    ],
)
def test_a_value_that_means_none_is_taken_for_none(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(params(**fields), name) == value


@pytest.mark.parametrize("count", [1, 2, 4])
def test_n_answers_have_seeds_that_follow_each_other(count: int) -> None:
    drawn = params_of(request(n=count, seed=40), CONTEXT, VOCAB)
    assert [each.seed for each in drawn] == list(range(40, 40 + count))
    assert {each.seed for each in params_of(request(n=count), CONTEXT, VOCAB)} == {None}
    assert len(params_of(request(n=count), CONTEXT, VOCAB)) == count


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**63, 2**64 + 5, 10**40])
def test_any_number_is_a_seed(seed: int) -> None:
    first, second = params_of(request(n=2, seed=seed), CONTEXT, VOCAB)
    assert first.seed is not None
    assert 0 <= first.seed < 2**63
    assert second.seed == (first.seed + 1) % 2**63
    assert params(seed=seed) == params(seed=seed)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{"name": "x"}]}, "functions"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"function_call": {"name": "x"}}, "function_call"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"prediction": {"type": "content"}}, "prediction"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"modalities": ["audio"]}, "modalities"),
        *(({name: ""}, name) for name in FOREIGN_FORMS),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"presence_penalty": 0.1}, "presence_penalty"),
        ({"frequency_penalty": -2}, "frequency_penalty"),
    ],
)
def test_what_is_not_served_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    refusal = refused(**fields)
    assert (refusal.code, refusal.param) == ("unsupported_parameter", param)
    assert f"'{param}'" in refusal.message


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "functions": []},
        {"tool_choice": "none", "function_call": "none"},
        {"tool_choice": "auto", "function_call": "auto"},
        {"modalities": ["text"]},
        {"modalities": []},
        {"presence_penalty": 0, "frequency_penalty": 0.0},
        {"n": SLOTS},
        {"logprobs": True, "top_logprobs": 0},
        {"stream": True, "stream_options": {}},
    ],
)
def test_what_asks_for_nothing_is_taken(fields: dict[str, Any]) -> None:
    require_served(request(**fields), SLOTS)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": SLOTS + 1}, "n"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"top_logprobs": 0, "logprobs": False}, "top_logprobs"),
        ({"stream_options": {}}, "stream_options"),
        ({"stream_options": {"include_usage": True}, "stream": False}, "stream_options"),
        ({"stop": ""}, "stop"),
        ({"stop": ["x", ""]}, "stop"),
        ({"stop": ["x"] * (MAX_STOPS + 1)}, "stop"),
        ({"stop": "x" * (MAX_STOP_LENGTH + 1)}, "stop"),
        ({"logit_bias": {"260": 1}}, "logit_bias"),
        ({"logit_bias": {"-1": 1}}, "logit_bias"),
        ({"logit_bias": {"": 1}}, "logit_bias"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"\u0665": 1}}, "logit_bias"),
        ({"logit_bias": {"1" * 5000: 1}}, "logit_bias"),
    ],
)
def test_a_value_that_cant_be_meant_is_refused_by_its_name(fields: dict[str, Any], param: str) -> None:
    refusal = refused(**fields)
    assert (refusal.code, refusal.param) == ("invalid_value", param)
    assert len(refusal.message) < 200


def test_the_longest_stops_are_taken() -> None:
    assert len(params(stop=["x" * MAX_STOP_LENGTH] * MAX_STOPS).stop) == MAX_STOPS


def test_biases_are_as_many_as_cost_others_nothing() -> None:
    def biases(count: int) -> dict[str, float]:
        return {str(token): 1.0 for token in range(count)}

    (drawn,) = params_of(request(logit_bias=biases(MAX_BIASES)), CONTEXT, 32_000)
    assert len(drawn.logit_bias) == MAX_BIASES
    with pytest.raises(Refusal) as caught:
        params_of(request(logit_bias=biases(MAX_BIASES + 1)), CONTEXT, 32_000)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "logit_bias")


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ANY_OBJECT),
        ({"type": "json_object", "schema": SCHEMA}, SCHEMA),
        ({"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}, SCHEMA),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, {}),
        ({"type": "json_schema", "schema": SCHEMA}, SCHEMA),
    ],
)
def test_a_form_is_a_schema(form: dict[str, Any] | None, schema: dict[str, Any] | None) -> None:
    assert schema_of(msgspec.convert(form, ResponseFormat | None)) == schema


@pytest.mark.parametrize("form", [{}, {"json_schema": {}}, {"json_schema": {"schema": True}}])
def test_a_schema_that_is_none_is_refused_by_its_name(form: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        schema_of(msgspec.convert({"type": "json_schema"} | form, ResponseFormat))
    assert caught.value.param == "response_format.json_schema.schema"
    assert caught.value.code == "invalid_value"
