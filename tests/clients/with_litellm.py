"""LiteLLM, unchanged, against a service, as a server of OpenAI's kind and of vLLM's: ``with_litellm.py OPEN NARROW``,
as ``with_openai.py``."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask the network what models cost

import litellm
import openai
from pictures import data_url

litellm.suppress_debug_info = True

OPEN, NARROW = sys.argv[1:3]
NAME = "llava-phantom"
SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["opacity", "none"]}, "sure": {"type": "boolean"}},
    "required": ["kind", "sure"],
    "additionalProperties": False,
}


def ask(provider: str, text: str, image: Any = None, **fields: Any) -> Any:
    """Ask one question."""
    picture = [{"type": "image_url", "image_url": image}] if image else []
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": text}, *picture]},
    ]
    place = {"model": f"{provider}/{NAME}", "api_base": f"{OPEN}/v1", "api_key": "none"}
    return litellm.completion(messages=messages, **{"max_tokens": 24, **place, **fields})


def check(provider: str) -> None:
    """Hold everything against one provider's form."""
    answers = {
        ask(provider, "Describe.", image).choices[0].message.content for image in (data_url(9), {"url": data_url(9)})
    }
    assert len(answers) == 1, answers
    streamed = "".join(
        chunk.choices[0].delta.content or "" for chunk in ask(provider, "Describe.", data_url(9), stream=True)
    )
    assert streamed == answers.pop()
    form = {"type": "json_schema", "json_schema": {"name": "finding", "schema": SCHEMA, "strict": True}}
    finding = json.loads(ask(provider, "What?", response_format=form, max_tokens=200).choices[0].message.content)
    assert finding.keys() == {"kind", "sure"}
    fails(provider, openai.NotFoundError, model=f"{provider}/gpt-none")
    fails(provider, openai.AuthenticationError, api_base=f"{NARROW}/v1", api_key="wrong")
    fails(provider, openai.BadRequestError, logit_bias={"999999": 1})
    for stream in (False, True):
        long = fails(provider, openai.BadRequestError, text="word " * 3000, stream=stream)
        assert isinstance(long, litellm.ContextWindowExceededError), long


def fails(provider: str, kind: type[openai.APIStatusError], text: str = "Hello", **fields: Any) -> Exception:
    """Ask, and return the error, which has to be of its kind."""
    try:
        ask(provider, text, **fields, num_retries=0)
    except kind as error:
        return error
    raise AssertionError("it was answered")


for name in ("openai", "hosted_vllm"):
    check(name)
    print(name)
