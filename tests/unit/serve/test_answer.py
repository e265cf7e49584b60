"""An answer on its way, and news of it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import replace

from edgekit.errors import EngineError
from edgekit.runtime import Completion, SamplingParams
from edgekit.serve.answer import Answer, News, Order
from tests.asgi import on_loop
from tests.fake_engine import image_prompt


def order() -> Order:
    return Order(prompt=image_prompt("look ", 7), params=SamplingParams(seed=4), caller="ward")


def completion(error: EngineError | None = None) -> Completion:
    return Completion(
        text="It",
        ids=(1, 2),
        reason="error" if error else "stop",
        prompt_tokens=3,
        reused_tokens=0,
        first_token_ms=1.0,
        tokens_per_s=1.0,
        seed=4,
        error=error,
    )


def test_an_answer_ends_whole_or_by_an_error_before_or_after_its_beginning() -> None:
    broken = EngineError("broken", "")
    answer = Answer(order(), News())
    assert (answer.ended, answer.failure) == (False, None)
    answer.completion = completion()
    assert (answer.ended, answer.failure) == (True, None)
    answer.completion = completion(broken)
    assert (answer.ended, answer.failure) == (True, broken)
    refused = Answer(order(), News())
    refused.error = broken
    assert (refused.ended, refused.failure) == (True, broken)


def test_an_answer_keeps_nothing_of_its_prompt() -> None:
    asked = order()
    prompt = weakref.ref(asked.prompt)
    answer = Answer(asked, News())
    del asked
    gc.collect()
    assert prompt() is None
    assert (answer.params.seed, answer.share) == (4, "ward")
    assert Answer(replace(order(), share="net"), News()).share == "net"


@on_loop
async def test_news_wake_all_who_wait_and_nobody_who_comes_later() -> None:
    news = News()
    waiters = [asyncio.create_task(news.wait(20)) for _ in range(3)]
    await asyncio.sleep(0)
    news.tell()
    await asyncio.gather(*waiters)
    late = asyncio.create_task(news.wait(20))
    await asyncio.sleep(0.01)
    assert not late.done()
    news.tell()
    await late


@on_loop
async def test_who_waits_for_news_waits_so_long_at_most() -> None:
    await News().wait(0.01)


def test_a_whole_answer_is_judged_by_its_order() -> None:
    answer = Answer(replace(order(), judge=lambda completion: [f"{completion.text} is short."]), News())
    assert not answer.notes
    answer.complete(completion())
    assert answer.ended
    assert list(answer.notes) == ["It is short."]
    plain = Answer(order(), News())
    plain.complete(completion())
    assert not plain.notes
