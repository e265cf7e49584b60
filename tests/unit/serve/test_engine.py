"""The engine's thread on a toy engine that stands before each step: what grows, ends and fails, in every phase."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.errors import ContextExceeded, EngineError
from edgekit.runtime import Generator, SamplingParams
from edgekit.serve import engine as module
from edgekit.serve.answer import Answer, News, Order
from edgekit.serve.engine import EngineThread
from tests.asgi import on_loop, until
from tests.fake_engine import fake_spec, image_prompt, text_prompt
from tests.toy_service import TEXT, TOKENIZER, Talking, thread


def order(text: str = "what is it?", *, caller: str = "ward", tokens: int = 50, batch: bool = False) -> Order:
    return Order(prompt=text_prompt(text), params=SamplingParams(max_tokens=tokens), caller=caller, batch=batch)


def text(answer: Answer) -> str:
    return "".join(delta.text for delta in answer.deltas)


def has(answer: Answer, length: int) -> bool:
    return len(text(answer)) == length


class Failing(Talking):
    """Fails as its fields say, with what must not reach a log."""

    prefill_error: Exception | None = None
    decode_error: Exception | None = None

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        logits = super().prefill(slot, embeds, start)
        if self.prefill_error is not None:
            raise self.prefill_error
        return logits

    def decode(self, tokens: Sequence[int], slots: Sequence[int]) -> Logits:
        logits = super().decode(tokens, slots)
        if self.decode_error is not None:
            raise self.decode_error
        return logits


@on_loop
async def test_an_answer_grows_token_by_token_and_ends_whole() -> None:
    engine = Talking(held=True)
    async with thread(engine) as running:
        answer = running.submit(order(), News())
        assert running.waiting == [answer]
        for length in range(1, len(TEXT) + 1):
            engine.let()
            await until(partial(has, answer, length))
            assert text(answer) == TEXT[:length]
            assert answer.started
            assert not answer.ended
            assert running.waiting == []
            assert running.live == {answer}
        engine.let()
        await until(lambda: answer.ended)
        assert answer.completion is not None
        assert (answer.completion.text, answer.completion.reason) == (TEXT, "stop")
        assert answer.failure is None
        assert not running.live


@on_loop
async def test_orders_at_once_are_written_side_by_side_and_the_last_waits_for_a_slot() -> None:
    engine = Talking(slots=2, held=True)
    async with thread(engine) as running:
        answers = [running.submit(order(word), News()) for word in ("one", "two", "three")]
        engine.let(3)  # the first is read; the second is read, and the first goes on
        await until(lambda: answers[0].started and answers[1].started)
        await until(lambda: engine.entered == 4)
        assert running.waiting == [answers[2]]
        engine.go()
        await until(lambda: all(answer.ended for answer in answers))
        assert [text(answer) for answer in answers] == [TEXT] * 3
        assert any(call[0] == "decode" and len(call) == 3 for call in engine.calls)


@on_loop
async def test_a_first_text_does_not_wait_for_the_others_next() -> None:
    engine = Talking(slots=2, held=True)
    async with thread(engine) as running:
        first = running.submit(order("one"), News())
        await until(lambda: engine.entered == 1)
        second = running.submit(order("two"), News())
        engine.let(2)  # the second is read; what comes next, the first's second letter, stands
        await until(partial(has, second, 1))
        assert text(first) == TEXT[:1]
        assert second.started
        await until(lambda: engine.entered == 3)
        assert engine.calls[-1][0] == "prefill"


@on_loop
async def test_those_who_wait_are_told_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACES_S", 0.0)
    engine = Talking(slots=1, held=True)
    async with thread(engine) as running:
        answers = [running.submit(order(word), News()) for word in ("one", "two", "three")]
        engine.let(2)
        await until(lambda: answers[2].place)
        assert [answer.place for answer in answers] == [0, 1, 2]
        assert answers[1].wait_s is None, "no answer has ended yet"
        engine.let(len(TEXT) + 1)
        await until(lambda: answers[1].started and answers[2].wait_s is not None)
        assert [answer.place for answer in answers] == [0, 0, 1]
        assert answers[2].wait_s is not None
        assert answers[2].wait_s >= 0


@on_loop
async def test_news_come_to_their_own_readers() -> None:
    engine = Talking(held=True)
    async with thread(engine) as running:
        news, others = News(), News()
        answer = running.submit(order(), news)
        running.submit(order("another"), others)
        await until(lambda: engine.entered == 1)
        engine.let()
        await news.wait(10)
        assert answer.deltas
        before = len(answer.deltas)
        await others.wait(0.01)  # in vain
        assert len(answer.deltas) == before


@on_loop
async def test_what_is_cancelled_frees_its_slot_in_every_phase() -> None:
    engine = Talking(slots=1, context=256, held=True)
    async with thread(engine) as running:
        first = running.submit(order("a" * 200), News())  # read in four chunks
        waiting = running.submit(order("two"), News())
        await until(lambda: engine.entered == 1)
        running.cancel(waiting)
        engine.let(2)  # it is told with what comes of the next step
        await until(lambda: waiting.ended and engine.entered == 3)
        assert not waiting.started
        assert not first.ended
        running.cancel(first)  # while its prompt is read
        engine.let()
        await until(lambda: first.ended)
        assert first.deltas == []
        third = running.submit(order("three"), News())
        engine.let(3)
        await until(lambda: len(text(third)) == 3)
        running.cancel(third)  # while it is written
        engine.let()
        await until(lambda: third.ended)
        engine.go()
        last = running.submit(order("four"), News())
        await until(lambda: last.ended)
        reasons = [answer.completion and answer.completion.reason for answer in (waiting, first, third, last)]
        assert reasons == ["cancelled", "cancelled", "cancelled", "stop"]
        assert third.completion is not None
        assert third.completion.text == text(third)
        assert TEXT.startswith(text(third))
        assert not running.live


@on_loop
async def test_nothing_comes_of_cancelling_what_has_ended() -> None:
    async with thread(Talking()) as running:
        answer = running.submit(order(), News())
        await until(lambda: answer.ended)
        completion = answer.completion
        running.cancel(answer)
        other = running.submit(order(), News())
        await until(lambda: other.ended)
        assert answer.completion is completion
        assert text(other) == TEXT


@on_loop
async def test_an_order_that_cant_be_taken_fails_by_itself() -> None:
    async with thread(Talking(context=96)) as running:
        news = News()
        answer = running.submit(order("x" * 96), news)
        await news.wait(10)
        assert isinstance(answer.failure, ContextExceeded)
        assert answer.ended
        assert not running.live
        other = running.submit(order(), News())
        await until(lambda: other.ended)
        assert other.failure is None


@on_loop
async def test_an_engines_error_ends_the_request_that_it_met(caplog: pytest.LogCaptureFixture) -> None:
    engine = Failing(slots=2, held=True)
    async with thread(engine) as running:
        good = running.submit(order("one"), News())
        engine.let()
        await until(lambda: good.started)
        engine.prefill_error = RuntimeError("broken")
        bad = running.submit(order("two"), News())
        engine.go()
        await until(lambda: bad.ended and good.ended)
        assert isinstance(bad.failure, EngineError)
        assert good.failure is None
        assert text(good) == TEXT
        assert not running.failed
        assert caplog.messages == ["The model failed at an answer: EngineError from RuntimeError"]
        engine.prefill_error = None
        again = running.submit(order("two"), News())
        await until(lambda: again.ended)
        assert text(again) == TEXT


@on_loop
async def test_an_error_of_a_step_ends_all_that_were_in_it_and_no_more() -> None:
    engine = Failing(slots=1, held=True)
    engine.decode_error = RuntimeError("broken")
    async with thread(engine) as running:
        bad = running.submit(order("one"), News())
        engine.let(2)
        await until(lambda: bad.ended)
        assert isinstance(bad.failure, EngineError)
        engine.decode_error = None
        engine.go()
        good = running.submit(order("two"), News())
        await until(lambda: good.ended)
        assert text(good) == TEXT


@on_loop
async def test_a_fault_of_the_generator_fails_everything_and_says_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Talking(slots=1, held=True)
    async with thread(engine) as running:
        news = News()
        answers = [running.submit(order(word), news) for word in ("one", "two")]
        await until(lambda: engine.entered == 1)

        def halves() -> None:
            raise ValueError("a patient's name")

        monkeypatch.setattr(running._generator, "halves", halves)
        engine.go()
        await until(lambda: running.failed)
        assert all(isinstance(answer.failure, EngineError) for answer in answers)
        assert not running.live
        late = running.submit(order("three"), News())
        assert isinstance(late.failure, EngineError)
        assert not running.live
        running.cancel(late)
        await running.close()
    assert "ValueError" in caplog.text
    assert "patient" not in caplog.text


@on_loop
async def test_what_is_forgotten_is_read_again() -> None:
    engine = Talking()
    prompt = image_prompt("look ", 7, " is it?")
    async with thread(engine) as running:

        async def reused() -> int:
            params = SamplingParams(max_tokens=2)
            answer = running.submit(Order(prompt=prompt, params=params, caller="ward"), News())
            await until(lambda: answer.ended)
            assert answer.completion is not None
            return answer.completion.reused_tokens

        assert await reused() == 0
        assert await reused() > 0
        assert engine.calls.count(("encode", 1)) == 1
        running.forget("another")
        assert await reused() > 0
        running.forget("ward")
        assert await reused() == 0
        assert engine.calls.count(("encode", 1)) == 2


@on_loop
async def test_closing_cancels_what_still_runs_and_waits() -> None:
    engine = Talking(slots=1, held=True)
    async with thread(engine) as running:
        answers = [running.submit(order(word), News()) for word in ("one", "two")]
        engine.let(3)
        await until(lambda: len(text(answers[0])) == 3)
        engine.go()
        await running.close()
        assert not running._thread.is_alive()
        await until(lambda: all(answer.ended for answer in answers))
        reasons = [answer.completion and answer.completion.reason for answer in answers]
        assert reasons[1] == "cancelled"
        assert reasons[0] in ("cancelled", "stop")
        assert TEXT.startswith(text(answers[0]))
        assert not running.live


@on_loop
async def test_silence_is_counted_from_the_last_step_and_ends_with_the_next() -> None:
    now = [100.0]
    engine = Talking(held=True)
    async with thread(engine, lambda: now[0]) as running:
        answer = running.submit(order(), News())
        await until(lambda: engine.entered == 1)
        now[0] = 160.0
        assert running.silent_s == 60
        engine.let()
        await until(lambda: engine.entered == 2)
        assert running.silent_s == 0
        engine.go()
        await until(lambda: answer.ended)


@on_loop
async def test_a_thread_with_nothing_to_do_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.01)
    now = [100.0]
    async with thread(Talking(), lambda: now[0]) as running:
        now[0] = 160.0
        await until(lambda: running.silent_s == 0)


@on_loop
async def test_a_batch_waits_behind_those_who_want_to_know() -> None:
    engine = Talking(slots=1, held=True)
    async with thread(engine) as running:
        first = running.submit(order("one"), News())
        await until(lambda: engine.entered == 1)
        batch = running.submit(order("two", batch=True), News())
        other = running.submit(order("three", caller="another"), News())
        engine.let(len(TEXT) + 2)
        await until(lambda: first.ended and other.started)
        assert not batch.started
        engine.go()
        await until(lambda: batch.ended)


@on_loop
async def test_a_thread_that_was_not_started_closes() -> None:
    await EngineThread(Generator(Talking(), TOKENIZER, fake_spec())).close()
