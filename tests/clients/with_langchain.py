"""LangChain's ``ChatOpenAI``, unchanged, against a service: ``with_langchain.py OPEN NARROW``, as of
``with_openai.py``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Literal

import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pictures import data_url, png
from pydantic import BaseModel

OPEN, NARROW = sys.argv[1:3]
names: Any = openai.OpenAI(base_url=f"{OPEN}/v1", api_key="none").models.list()
chat = ChatOpenAI(model=names.data[0].id, base_url=f"{OPEN}/v1", api_key="none", max_tokens=24, temperature=0)

IMAGES: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": data_url(10)}},
    {"type": "image", "base64": png(10), "mime_type": "image/png"},
    {"type": "image", "source_type": "base64", "data": png(10), "mime_type": "image/png"},
]


class Finding(BaseModel):
    """What an answer is to look like."""

    kind: Literal["opacity", "none"]
    sure: bool


def check_images_in_every_form() -> None:
    answers = {
        chat.invoke([SystemMessage("Be brief."), HumanMessage([{"type": "text", "text": "Describe."}, image])]).text
        for image in IMAGES
    }
    assert len(answers) == 1, answers
    assert answers.pop()


def check_stream() -> None:
    asked = [HumanMessage([{"type": "text", "text": "Describe."}, IMAGES[0]])]
    chunks = list(chat.stream(asked, stream_usage=True))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks) == chat.invoke(asked).text
    assert any(chunk.usage_metadata for chunk in chunks if isinstance(chunk, AIMessageChunk))


def check_structured_output() -> None:
    free = chat.model_copy(update={"max_tokens": None})
    for method in (None, "json_schema"):
        form = free.with_structured_output(Finding, **({"method": method} if method else {}))
        finding = form.invoke([HumanMessage([{"type": "text", "text": "What is it?"}, IMAGES[0]])])
        assert isinstance(finding, Finding)


def check_async_and_batch() -> None:
    asked = [[HumanMessage(f"Question {number}?")] for number in range(4)]

    async def together() -> list[str]:
        return [answer.text for answer in await asyncio.gather(*map(chat.ainvoke, asked))]

    assert [answer.text for answer in chat.batch(asked)] == asyncio.run(together())


def check_errors() -> None:
    for ask in (chat.invoke, lambda text: list(chat.stream(text))):
        try:
            ask("word " * 3000)
        except ContextOverflowError:
            continue
        raise AssertionError("it was answered")
    for other, kind in (
        (ChatOpenAI(model="gpt-none", base_url=f"{OPEN}/v1", api_key="none"), openai.NotFoundError),
        (ChatOpenAI(model="x", base_url=f"{NARROW}/v1", api_key="wrong"), openai.AuthenticationError),
    ):
        try:
            other.invoke("Hello")
        except kind:
            continue
        raise AssertionError("it was answered")


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name)
