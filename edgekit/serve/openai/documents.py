"""The documents that the API answers with, field by field: what is sent is built of these, and described by them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Reason = Literal["stop", "length"]


class Token(Struct, kw_only=True):
    """A token with the natural logarithm of its probability; −9999 stands for one that can't come."""

    token: str
    logprob: float
    bytes: list[int]


class AnswerToken(Token, kw_only=True):
    """A token of an answer, beside the likeliest."""

    top_logprobs: list[Token]


class Logprobs(Struct, kw_only=True):
    """The tokens of an answer, or of a chunk of it; their texts join to its text."""

    content: list[AnswerToken]
    refusal: None = None


class AnswerMessage(Struct, kw_only=True):
    """An answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(Struct, kw_only=True):
    """One of the answers to a request."""

    index: int
    message: AnswerMessage
    logprobs: Logprobs | None
    finish_reason: Reason


class PromptTokens(Struct, kw_only=True):
    """Of a prompt's tokens, those that had been read before (for this caller), and those of pictures."""

    cached_tokens: int
    image_tokens: int
    audio_tokens: int = 0


class AnswerTokens(Struct, kw_only=True):
    """Of the answers' tokens, those that nobody sees: none."""

    reasoning_tokens: int = 0


class Usage(Struct, kw_only=True):
    """Tokens that a request took: its prompt's once, however many answers it has."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokens
    completion_tokens_details: AnswerTokens


class Aside(Struct, kw_only=True):
    """What OpenAI's API has no field for: the seeds by which the answers can be had again, and what was left out of
    pictures or done to them so that they could be read."""

    seeds: list[int]
    notes: list[str]


class ChatCompletion(Struct, kw_only=True):
    """A chat completion, whole."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str
    service_tier: Literal["default", "flex"]
    choices: list[Choice]
    usage: Usage
    edgekit: Aside


class Delta(Struct, kw_only=True):
    """More of an answer."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET


class ChunkChoice(Struct, kw_only=True):
    """More of one of the answers; its reason is null until its end."""

    index: int
    delta: Delta
    logprobs: Logprobs | None = None
    finish_reason: Reason | None = None


class ChatCompletionChunk(Struct, kw_only=True):
    """An event of a stream. Where usage was asked for, it is null until the last, which has no choices."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    system_fingerprint: str
    service_tier: Literal["default", "flex"]
    choices: list[ChunkChoice]
    usage: Usage | UnsetType | None = UNSET
    edgekit: Aside | UnsetType = UNSET


class ModelFacts(Struct, kw_only=True):
    """What is known of a model beside its name."""

    context: int
    slots: int
    recipe: str
    fingerprint: str
    licence: str
    intended_use: str


class ModelDocument(Struct, kw_only=True):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["edgekit"] = "edgekit"
    edgekit: ModelFacts


class ModelList(Struct, kw_only=True):
    """The models that can be asked."""

    object: Literal["list"] = "list"
    data: list[ModelDocument]


class ErrorFacts(Struct, kw_only=True):
    """What is wrong: for people, for programs, and in which field."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorDocument(Struct, kw_only=True):
    """An error."""

    error: ErrorFacts
