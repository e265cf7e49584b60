"""What a chat completion may say: the fields of OpenAI's reference that mean something here, read strictly.

Unknown fields are left alone, as OpenAI's clients expect of servers that are older than they are, and ``null`` is unset
everywhere. What is known and not served is refused by name in :mod:`~edgekit.serve.openai.sampling`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from edgekit.errors import gist
from edgekit.serve.refusal import NEVER_RETRY, Refusal

T = TypeVar("T")
_MISSING = re.compile(r"^Object missing required field `(\w+)`$")
"""msgspec's words for it, which name the field apart from its place."""

MOST_VALUES = 2**15
"""Ten megabytes of empty lists are 700 of Python's, which take two seconds to make, and everybody waits meanwhile. A
conversation of a thousand messages has a tenth of this."""
MAX_TOP_LOGPROBS = 20
"""OpenAI's own limit."""


Role = Annotated[str, Meta(extra_json_schema={"enum": ["system", "developer", "user", "assistant"]})]
Kind = Annotated[
    str, Meta(extra_json_schema={"enum": ["text", "image_url", "input_text", "input_image", "output_text"]})
]
"""What is served, as the description has it; what is not is refused where it stands, in words of the service's own."""


class ImageUrl(Struct):
    """A picture as a data URL; ``detail`` is taken, and every picture is seen as the model sees all."""

    url: str
    detail: str | None = None


class Part(Struct):
    """A part of a message: "text" with ``text``, or "image_url" with ``image_url``."""

    type: Kind
    text: str | None = None
    image_url: ImageUrl | str | None = None


class Message(Struct):
    """A message of a conversation."""

    role: Role
    content: str | list[Part] | None = None


class StreamOptions(Struct):
    """What a stream holds beside the answer."""

    include_usage: bool | None = None


class JsonSchema(Struct):
    """A schema that the answer is to follow; it always does, strict or not."""

    schema: dict[str, Any] | bool | None = None
    name: str | None = None
    strict: bool | None = None


class ResponseFormat(Struct):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None
    schema: dict[str, Any] | None = None


class ChatRequest(Struct, kw_only=True):
    """A chat completion that is asked for.

    * ``messages``, ``model``: the conversation, and by whom it is to be continued
    * ``max_tokens``, ``max_completion_tokens``: where the answer is cut at the latest; the newer name counts
    * ``temperature`` (0 without it, which takes the likeliest token), ``top_p``, ``top_k``, ``min_p``,
      ``repetition_penalty``, ``seed``, ``stop``, ``logit_bias``: how it is drawn
    * ``n``: so many answers, with a ``seed`` of seeds that follow each other
    * ``logprobs``, ``top_logprobs``: how likely each token was, and so many others
    * ``response_format``: JSON, or JSON by a schema
    * ``stream``, ``stream_options``: as events
    * ``service_tier``: "flex" waits behind those who want to know at once
    * the rest: known, and refused where they ask for anything
    """

    messages: list[Message]
    model: str | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=-1)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    n: Annotated[int, Meta(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    response_format: ResponseFormat | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    service_tier: str | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    functions: list[Any] | None = None
    function_call: Any = None
    audio: Any = None
    modalities: list[str] | None = None
    prediction: Any = None
    web_search_options: Any = None
    grammar: Any = None
    json_schema: Any = None
    guided_json: Any = None
    guided_regex: Any = None
    guided_choice: Any = None
    guided_grammar: Any = None
    structured_outputs: Any = None


def parse(body: bytes | bytearray, form: type[T]) -> T:
    """Read a request's body; :class:`Refusal` of status 400 says which field is wrong, and how, of status 413 that it
    has more than :data:`MOST_VALUES` values: as many as commas, so that nothing has to be read to know it.
    """
    if body.count(b",") > MOST_VALUES:
        message = f"The request has more than {MOST_VALUES} values, each comma of a text counted as one: send fewer."
        raise Refusal(413, message, "too_many_values", headers=NEVER_RETRY)
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `")
        names = (place.rstrip("`").removeprefix("$").removeprefix("."), *_MISSING.findall(text))
        param = ".".join(name for name in names if name) or None
        where = f"'{param}': " if param else ""
        raise Refusal(400, f"{where}{gist(text)}.", "invalid_value", param=param) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Refusal(400, "The body is no valid JSON in UTF-8.", "invalid_json") from None
