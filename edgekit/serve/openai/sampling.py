"""From the fields of a request to how its answer is drawn; what is not served is refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgekit.errors import InputError
from edgekit.runtime import SamplingParams
from edgekit.serve.grammars import ANY_OBJECT
from edgekit.serve.openai.request import ChatRequest, ResponseFormat
from edgekit.serve.refusal import Refusal, invalid, unsupported

FOREIGN_FORMS = (
    "grammar",
    "json_schema",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
)
"""What llama.cpp and vLLM call a form of the answer. Left alone, as unknown fields are, the answer would be free of it,
and nobody would know."""
MAX_STOPS = 16
MAX_STOP_LENGTH = 1024
MAX_BIASES = 1024
"""Each costs a little at every token, on the one thread that writes everybody's: a whole vocabulary's, 44 ms."""
_SEEDS = 2**63


def require_served(request: ChatRequest, slots: int) -> None:
    """Refuse what this service does not do; ``slots`` answers at most are written at once."""
    for name in ("tools", "functions"):
        if getattr(request, name):
            raise unsupported(name, "this model calls none.")
    if request.tool_choice not in (None, "none", "auto"):
        raise unsupported("tool_choice", "this model calls no tools.")
    if request.function_call not in (None, "none", "auto"):
        raise unsupported("function_call", "this model calls no functions.")
    for name in ("audio", "prediction", "web_search_options"):
        if getattr(request, name) is not None:
            raise unsupported(name, "this model reads text and pictures, and writes text.")
    if request.modalities and request.modalities != ["text"]:
        raise unsupported("modalities", "this model writes text.")
    for name in FOREIGN_FORMS:
        if getattr(request, name) is not None:
            raise unsupported(name, "ask for a form by 'response_format'.")
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(request, name):
            raise unsupported(name, "only 0 is; 'repetition_penalty' is served.")
    if (request.n or 1) > slots:
        raise invalid("n", f"is {request.n}; this service writes {slots} answers at once at most.")
    if request.top_logprobs is not None and not request.logprobs:
        raise invalid("top_logprobs", "needs 'logprobs' to be true.")
    if request.stream_options is not None and not request.stream:
        raise invalid("stream_options", "needs 'stream' to be true.")


def params_of(request: ChatRequest, most_tokens: int, vocab: int) -> tuple[SamplingParams, ...]:
    """Return how each of the ``n`` answers is drawn; without a wish of the caller's, each may have ``most_tokens``.

    ``vocab`` is the number of tokens that ``logit_bias`` may name. :class:`Refusal` of status 400 where a value can't
    be meant.
    """
    wanted = request.max_completion_tokens or request.max_tokens
    try:
        params = SamplingParams(
            max_tokens=wanted or most_tokens,
            temperature=request.temperature or 0.0,
            top_p=1.0 if request.top_p is None else max(request.top_p, 1e-6),
            top_k=max(request.top_k or 0, 0),
            min_p=request.min_p or 0.0,
            repetition_penalty=1.0 if request.repetition_penalty is None else request.repetition_penalty,
            stop=_stops(request.stop),
            seed=None if request.seed is None else request.seed % _SEEDS,
            logprobs=(request.top_logprobs or 0) if request.logprobs else None,
            logit_bias=_biases(request.logit_bias or {}, vocab),
        )
    except InputError as error:
        raise Refusal(400, f"{error.message}. {error.hint}", "invalid_value") from None
    if request.seed is None:
        return (params,) * (request.n or 1)
    return tuple(replace(params, seed=(request.seed + index) % _SEEDS) for index in range(request.n or 1))


def schema_of(form: ResponseFormat | None) -> Mapping[str, Any] | None:
    """Return the JSON schema that an answer has to follow; None where it is text."""
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return ANY_OBJECT if form.schema is None else form.schema
    schema = form.json_schema.schema if form.json_schema else form.schema
    if not isinstance(schema, dict):
        raise invalid("response_format.json_schema.schema", "is missing, or is no object.")
    return schema


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > MAX_STOPS or any(not 0 < len(text) <= MAX_STOP_LENGTH for text in stops):
        raise invalid("stop", f"holds at most {MAX_STOPS} texts of 1 to {MAX_STOP_LENGTH} characters.")
    return stops


def _biases(biases: dict[str, float], vocab: int) -> tuple[tuple[int, float], ...]:
    if len(biases) > MAX_BIASES:
        raise invalid("logit_bias", f"holds at most {MAX_BIASES} tokens.")
    if not all(token.isascii() and token.isdigit() and len(token) < 9 and int(token) < vocab for token in biases):
        raise invalid("logit_bias", f"has ids of tokens for keys, 0 to {vocab - 1}.")
    return tuple((int(token), bias) for token, bias in biases.items())
