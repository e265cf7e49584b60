from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from edgekit.errors import EngineError, InputError
from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.runtime import Completion, Event, Finished, Generator, SamplingParams, Sequence, TextDelta
from tests.fake_engine import HIDDEN, STOP, DriftingEngine, byte_tokenizer, fake_spec, image_prompt, text_prompt

TOKENIZER = byte_tokenizer()
LIVELY = SamplingParams(max_tokens=12, temperature=1.2, top_p=0.9, seed=1)
SPEC = fake_spec(stop_ids=(STOP, 215, 13))  # bytes that the toy likes


def _generator(engine: DriftingEngine, stop: tuple[str, ...] = ()) -> Generator:
    return Generator(engine, TOKENIZER, replace(SPEC, template=replace(SPEC.template, stop=stop)))


def _alone(prompt: Prompt, params: SamplingParams) -> Completion:
    """The completion from an engine that has seen nothing else."""
    return next(_generator(DriftingEngine(slots=1)).generate([prompt], params))


def _same(first: Completion | None, other: Completion) -> bool:
    return first is not None and (first.text, first.ids, first.reason) == (other.text, other.ids, other.reason)


def _drain(generator: Generator) -> list[Event]:
    events = []
    while generator.busy:
        events += generator.step()
    return events


class _Scripted(DriftingEngine):
    """Answers every prompt with the same tokens, then with the stop token."""

    def __init__(self, script: bytes, **sizes: int) -> None:
        super().__init__(**sizes)
        self.script = [*script, STOP]
        self.prompts: dict[int, int] = {}

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        super().prefill(slot, embeds, start)
        self.prompts[slot] = start + len(embeds)
        return self._say(0)

    def decode(self, tokens: abc.Sequence[int], slots: abc.Sequence[int]) -> Logits:
        super().decode(tokens, slots)
        return np.stack([self._say(self.valid[slot] - self.prompts[slot]) for slot in slots])

    def _say(self, index: int) -> Logits:
        logits = np.zeros(260, dtype=np.float32)
        logits[self.script[index]] = 1
        return logits


PARTS: list[str | int] = ["is there", " a ", "fracture", "?", 1, 2, 1]
PROMPTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map(lambda parts: image_prompt(*parts))
PARAMS = st.builds(
    SamplingParams,
    max_tokens=st.integers(1, 12),
    temperature=st.sampled_from([0.0, 0.7, 1.5]),
    top_p=st.sampled_from([1.0, 0.8]),
    repetition_penalty=st.sampled_from([1.0, 1.3]),
    stop=st.sampled_from([(), ("m",), ("@", "Y")]),
    seed=st.integers(0, 3),
)


@settings(deadline=None, max_examples=60)
@given(
    requests=st.lists(st.tuples(PROMPTS, PARAMS, st.integers(0, 4), st.integers(0, 40)), min_size=1, max_size=8),
    slots=st.integers(1, 3),
    chunk=st.integers(4, 20),
)
def test_an_answer_does_not_depend_on_the_company(
    requests: list[tuple[Prompt, SamplingParams, int, int]], slots: int, chunk: int
) -> None:
    """Each request: prompt, parameters, steps until the next one joins, steps after which it leaves."""
    generator = _generator(DriftingEngine(slots=slots, chunk=chunk))
    sequences: list[Sequence] = []
    patience: dict[Sequence, int] = {}
    events: list[Event] = []

    def step() -> None:
        events.extend(generator.step())
        for sequence in sequences:
            patience[sequence] -= 1
            if patience[sequence] == 0:
                generator.cancel(sequence)

    for prompt, params, pause, leaves in requests:
        sequences.append(generator.submit(prompt, params))
        patience[sequences[-1]] = leaves
        for _ in range(pause):
            step()
    while generator.busy:
        step()
    for sequence, (prompt, params, _, _) in zip(sequences, requests, strict=True):
        completion, alone = sequence.completion, _alone(prompt, params)
        assert completion is not None
        own = [event for event in events if event.sequence is sequence]
        assert own[-1] == Finished(sequence, completion)
        assert "".join(event.text for event in own[:-1] if isinstance(event, TextDelta)) == completion.text
        if completion.reason == "cancelled":
            assert completion.ids == alone.ids[: completion.tokens]
        else:
            assert _same(completion, alone)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["why", " so", 1]), min_size=1, max_size=3), st.integers(1, 3), st.integers(1, 14))
def test_a_conversation_that_reuses_its_prefix_goes_on_as_if_fresh(
    parts: list[str | int], slots: int, max_tokens: int
) -> None:
    engine = DriftingEngine(slots=slots)
    generator, params = _generator(engine), SamplingParams(max_tokens=max_tokens)
    prompt = image_prompt(*parts)
    for _ in range(3):
        completion = next(generator.generate([prompt], params))
        assert _same(completion, _alone(prompt, params))
        answered = (*prompt.pieces, TextPiece((*completion.ids, *b" and?")))
        prompt, asked = Prompt(answered), len(prompt)
        engine.calls.clear()
        following = next(generator.generate([prompt], params))
        assert _same(following, _alone(prompt, params))
        assert following.reused_tokens == asked
        assert ("encode", 1) not in engine.calls


def test_an_image_asked_about_several_times_is_encoded_and_read_once() -> None:
    engine = DriftingEngine(slots=4)
    prompts = [image_prompt("look ", 7, question) for question in ("is it?", "where?", "how large?", "why?", "how?")]
    completions = list(_generator(engine).generate(prompts, LIVELY))
    assert all(
        _same(completion, _alone(prompt, LIVELY)) for completion, prompt in zip(completions, prompts, strict=True)
    )
    assert engine.calls.count(("encode", 1)) == 1
    spans = [call[2:] for call in engine.calls if call[0] == "prefill"]
    assert spans[0] == (0, 16)
    assert min(spans[2:]) >= (14,)
    assert all(completion.reused_tokens >= 14 for completion in completions[1:])


def test_whoever_writes_gets_a_token_at_every_step_while_another_reads() -> None:
    engine = DriftingEngine(slots=2, context=400, chunk=8)
    generator = Generator(engine, TOKENIZER, fake_spec(stop_ids=()))
    first = generator.submit(text_prompt("short"), SamplingParams(max_tokens=100))
    generator.step()
    second = generator.submit(text_prompt("long " * 50), SamplingParams(max_tokens=2))
    steps = 0
    while not second.ids:
        generator.step()
        steps += 1
        assert len(first.ids) == 1 + steps
    assert steps == -(-250 // 8)


def test_a_step_tells_what_was_read_before_the_others_go_on() -> None:
    generator = _generator(_Scripted(b"rib", slots=2))
    first = generator.submit(text_prompt("one"), SamplingParams(max_tokens=100))
    generator.step()
    second = generator.submit(text_prompt("two"), SamplingParams(max_tokens=100))
    halves = generator.halves()
    assert {event.sequence for event in next(halves)} == {second}
    assert (len(first.ids), len(second.ids)) == (1, 1)
    assert {event.sequence for event in next(halves)} == {first}
    assert (len(first.ids), len(second.ids)) == (2, 1)
    assert next(halves, None) is None


def test_events_tell_the_text_and_then_the_end() -> None:
    engine = _Scripted("Nö, 🩺.".encode())
    generator = _generator(engine)
    events = list(generator.stream(text_prompt("healthy?")))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["N", "ö", ",", " ", "🩺", "."]
    last = events[-1]
    assert isinstance(last, Finished)
    assert (last.completion.text, last.completion.reason, last.completion.tokens) == ("Nö, 🩺.", "stop", 10)
    assert not generator.busy


@pytest.mark.parametrize(
    ("script", "stops", "template_stops", "text", "reason"),
    [
        (b"yes###no", ("###",), (), "yes", "stop"),
        (b"yes###no", (), ("##",), "yes", "stop"),
        (b"yes###no", ("no",), ("#x",), "yes###", "stop"),
        (b"yes##", ("###",), (), "yes##", "stop"),
        (b"yes #n and more", ("#no",), (), "yes #n and", "length"),
        (b"yes and \xc3", (), (), "yes and \ufffd", "stop"),
        (b"0123456789", ("789",), (), "0123456", "stop"),
        (b"012345678\xc3\xa9", ("8\ufffd",), (), "01234567", "stop"),
    ],
)
def test_text_ends_at_stop_strings(
    script: bytes, stops: tuple[str, ...], template_stops: tuple[str, ...], text: str, reason: str
) -> None:
    generator = _generator(_Scripted(script), stop=template_stops)
    completion = next(generator.generate([text_prompt("well?")], SamplingParams(max_tokens=10, stop=stops)))
    assert (completion.text, completion.reason) == (text, reason)


def test_the_figures_of_a_completion() -> None:
    ticks = iter(range(100))
    engine = _Scripted(b"four")
    generator = Generator(engine, TOKENIZER, SPEC, clock=lambda: next(ticks) / 4)
    completion = next(generator.generate([text_prompt("how many?")], SamplingParams(seed=9)))
    assert (completion.prompt_tokens, completion.reused_tokens, completion.tokens) == (9, 0, 4)
    assert completion.first_token_ms == pytest.approx(250)
    assert completion.tokens_per_s == pytest.approx(4)
    assert completion.seed == 9


def test_seeds_repeat_and_differ() -> None:
    def texts(seeds: list[int | None]) -> list[str]:
        params = [replace(LIVELY, seed=seed, temperature=3.0) for seed in seeds]
        return [next(_generator(DriftingEngine()).generate([text_prompt("draw")], each)).text for each in params]

    assert len(set(texts([1, 1, 1]))) == 1
    assert len(set(texts([1, 2, 3, None, None]))) == 5


def _failing(method: str, when: Callable[[int], bool]) -> DriftingEngine:
    """An engine whose ``method`` fails at the calls for which ``when(count)`` holds."""
    engine, count = DriftingEngine(slots=3), iter(range(1000))
    original = getattr(engine, method)

    def fail(*args: object) -> object:
        if when(next(count)):
            raise EngineError("out of luck", "Try again.")
        return original(*args)

    setattr(engine, method, fail)
    return engine


@pytest.mark.parametrize("method", ["prefill", "encode", "embed", "copy"])
def test_a_failure_while_reading_ends_that_request_only(method: str) -> None:
    prompts = [image_prompt("look at ", 1, "and tell"), image_prompt("look at ", 1, "or not"), text_prompt("hello")]
    engine = _failing(method, lambda count: count == 0)
    completions = list(_generator(engine).generate(prompts, LIVELY))
    failed = 1 if method == "copy" else 0
    for index, (completion, prompt) in enumerate(zip(completions, prompts, strict=True)):
        if index == failed:
            assert completion.reason == "error"
            assert isinstance(completion.error, EngineError)
        else:
            assert _same(completion, _alone(prompt, LIVELY))


def test_a_failed_decode_ends_those_that_took_part_and_their_slots_are_read_anew() -> None:
    engine = _failing("decode", lambda count: count == 1)
    generator = _generator(engine)
    failed = [generator.submit(text_prompt(text), LIVELY) for text in ("some question", "and another")]
    _drain(generator)
    assert [sequence.completion.reason for sequence in failed if sequence.completion] == ["error", "error"]
    again = next(generator.generate([text_prompt("some question")], LIVELY))
    assert again.reused_tokens == 0
    assert _same(again, _alone(text_prompt("some question"), LIVELY))


def test_logits_that_are_no_numbers_end_their_own_request_only() -> None:
    class Broken(DriftingEngine):
        def decode(self, tokens: abc.Sequence[int], slots: abc.Sequence[int]) -> Logits:
            logits = super().decode(tokens, slots)
            logits[[slot == 1 for slot in slots]] = np.nan
            return logits

    prompts = [text_prompt(text) for text in ("one", "two", "three")]
    params = replace(LIVELY, max_tokens=6)
    completions = list(Generator(Broken(), TOKENIZER, fake_spec(())).generate(prompts, params))
    assert [completion.reason for completion in completions] == ["length", "error", "length"]
    assert completions[1].tokens == 1


def test_streams_raise_the_error_of_their_request() -> None:
    generator = _generator(_failing("decode", lambda count: count == 2))
    with pytest.raises(EngineError, match="out of luck"):
        list(generator.stream(text_prompt("hello"), SamplingParams(max_tokens=9, temperature=1.0, seed=3)))
    assert not generator.busy


def test_a_stream_left_early_frees_its_slot_and_leaves_others_their_events() -> None:
    generator = Generator(DriftingEngine(slots=2), TOKENIZER, fake_spec(()))
    other = generator.submit(text_prompt("the other one"), LIVELY)
    stream = generator.stream(text_prompt("this one"), LIVELY)
    next(stream)
    stream.close()
    events = _drain(generator)
    assert {event.sequence for event in events} == {other}
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert other.completion is not None
    assert text == other.completion.text != ""


def test_generating_leaves_others_their_events() -> None:
    generator = Generator(DriftingEngine(slots=2), TOKENIZER, fake_spec(()))
    other = generator.submit(text_prompt("the other one"), LIVELY)
    assert next(generator.generate([text_prompt("this one")], LIVELY)).reason == "length"
    assert other.completion is not None
    events = _drain(generator)
    assert events[-1] == Finished(other, other.completion)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == other.completion.text


def test_cancelling_tells_what_was_said_and_does_nothing_afterwards() -> None:
    generator = Generator(DriftingEngine(slots=1), TOKENIZER, fake_spec(()))
    running, waiting = (generator.submit(text_prompt(text), LIVELY) for text in ("first", "second"))
    for _ in range(4):
        generator.step()
    assert (running.state, waiting.state) == ("decoding", "waiting")
    generator.cancel(waiting)
    generator.cancel(running)
    generator.cancel(running)
    ends = [event.completion for event in _drain(generator) if isinstance(event, Finished)]
    assert [(end.reason, end.tokens) for end in ends] == [("cancelled", 0), ("cancelled", 4)]


@pytest.mark.parametrize(("steps", "state"), [(0, "waiting"), (1, "prefilling"), (5, "decoding")])
def test_whoever_leaves_in_any_phase_frees_its_place_and_changes_no_other_answer(steps: int, state: str) -> None:
    engine = DriftingEngine(slots=1, chunk=8)
    generator = Generator(engine, TOKENIZER, fake_spec(()))
    ahead = generator.submit(text_prompt("x"), replace(LIVELY, max_tokens=3)) if state == "waiting" else None
    prompt = image_prompt("look here ", 7, " long question")
    leaving = generator.submit(prompt, replace(LIVELY, max_tokens=60), caller="a")
    following = generator.submit(prompt, LIVELY, caller="a")
    for _ in range(steps):
        generator.step()
    assert leaving.state == state
    generator.cancel(leaving)
    assert leaving.state == "finished"
    assert following.state == "waiting"
    events = generator.step()
    assert [event.sequence for event in events if isinstance(event, Finished)] == [leaving]
    assert following.state != "waiting" or ahead is not None
    _drain(generator)
    alone = Generator(DriftingEngine(slots=1), TOKENIZER, fake_spec(()))
    assert _same(following.completion, next(alone.generate([prompt], LIVELY)))
    assert engine.calls.count(("encode", 1)) == 1


def test_what_a_caller_sent_is_reused_for_it_alone_until_it_is_forgotten() -> None:
    engine = DriftingEngine(slots=4)
    generator = Generator(engine, TOKENIZER, fake_spec(()), public=b"look ")
    prompt = image_prompt("look here ", 7, "?")

    def ask(caller: str) -> tuple[int, int]:
        """Tokens reused, images encoded."""
        engine.calls.clear()
        sequence = generator.submit(prompt, LIVELY, caller=caller)
        _drain(generator)
        assert _same(sequence.completion, alone)
        assert sequence.completion is not None
        return sequence.completion.reused_tokens, engine.calls.count(("encode", 1))

    alone = next(Generator(DriftingEngine(), TOKENIZER, fake_spec(())).generate([prompt], LIVELY))
    assert [ask(caller) for caller in "abab"] == [(0, 1), (5, 1), (19, 0), (19, 0)]
    running = generator.submit(image_prompt("look there ", 8, "?"), LIVELY, caller="a")
    generator.step()
    generator.step()
    generator.forget("a")
    _drain(generator)
    assert running.completion is not None
    assert (running.completion.reason, running.completion.tokens) == ("length", 12)
    prompt = image_prompt("look there ", 8, "?")
    alone = next(Generator(DriftingEngine(), TOKENIZER, fake_spec(())).generate([prompt], LIVELY))
    assert [ask(caller) for caller in "aa"] == [(5, 1), (20, 0)]
    prompt = image_prompt("look here ", 7, "?")
    alone = next(Generator(DriftingEngine(), TOKENIZER, fake_spec(())).generate([prompt], LIVELY))
    assert ask("b") == (19, 0)


def test_what_a_caller_sent_is_not_reused_for_another_of_its_share() -> None:
    engine = DriftingEngine(slots=4)
    generator = Generator(engine, TOKENIZER, fake_spec(()), public=b"look ")
    reused = []
    for caller in "aab":
        sequence = generator.submit(image_prompt("look here ", 7, "?"), LIVELY, caller=caller, share="net")
        _drain(generator)
        assert sequence.completion is not None
        reused.append(sequence.completion.reused_tokens)
    assert reused == [0, 19, 5]
    assert engine.calls.count(("encode", 1)) == 2


def test_a_forgotten_callers_picture_is_not_reused_for_the_next_of_its_name_while_it_runs() -> None:
    engine = DriftingEngine(slots=2, chunk=8)
    generator = Generator(engine, TOKENIZER, fake_spec(()), public=b"look ")
    prompt = image_prompt("look here ", 7, "?")
    old = generator.submit(prompt, LIVELY, caller="a")
    generator.step()
    generator.forget("a")
    for _ in range(3):
        generator.step()
    assert old.state == "decoding"
    engine.calls.clear()
    new = generator.submit(prompt, LIVELY, caller="a")
    _drain(generator)
    assert new.completion is not None
    assert (new.completion.reused_tokens, engine.calls.count(("encode", 1))) == (5, 1)
    again = generator.submit(prompt, LIVELY, caller="a")
    _drain(generator)
    assert again.completion is not None
    assert again.completion.reused_tokens == 19


@settings(deadline=None, max_examples=60)
@given(
    requests=st.lists(
        st.tuples(PROMPTS, PARAMS, st.sampled_from("abc"), st.booleans(), st.integers(0, 3), st.integers(-3, 30)),
        min_size=1,
        max_size=10,
    ),
    slots=st.integers(1, 3),
    chunk=st.integers(4, 20),
)
def test_an_answer_does_not_depend_on_what_other_callers_ask_leave_or_have_forgotten(
    requests: list[tuple[Prompt, SamplingParams, str, bool, int, int]], slots: int, chunk: int
) -> None:
    """Each request: prompt, parameters, caller, batch, steps until the next one joins, steps after which it leaves.

    One that would leave before it joins has what is kept of its caller forgotten instead.
    """
    public = b"to all: "
    generator = Generator(DriftingEngine(slots=slots, chunk=chunk), TOKENIZER, SPEC, public=public)
    prompts = [Prompt((TextPiece(tuple(public)), *prompt.pieces)) for prompt, *_ in requests]
    sequences: list[Sequence] = []
    for prompt, (_, params, caller, batch, pause, _) in zip(prompts, requests, strict=True):
        sequences.append(generator.submit(prompt, params, caller=caller, batch=batch))
        for _ in range(pause):
            generator.step()
    for step in range(1000):
        for sequence, (_, _, caller, _, _, leaves) in zip(sequences, requests, strict=True):
            if leaves == step:
                generator.cancel(sequence)
            elif -leaves == step:
                generator.forget(caller)
        generator.step()
    assert not generator.busy
    callers = [caller for _, _, caller, *_ in requests]
    for sequence, prompt, (_, params, caller, *_) in zip(sequences, prompts, requests, strict=True):
        completion, alone = sequence.completion, _alone(prompt, params)
        assert completion is not None
        if completion.reason == "cancelled":
            assert completion.ids == alone.ids[: completion.tokens]
        else:
            assert _same(completion, alone)
        if callers.count(caller) == 1:
            assert completion.reused_tokens <= len(public)


def test_prompts_are_taken_only_as_slots_come_free() -> None:
    taken: list[int] = []

    def prompts() -> Iterator[Prompt]:
        for index in range(20):
            taken.append(index)
            yield text_prompt(f"question {index}")

    generator = _generator(DriftingEngine(slots=2))
    answers = generator.generate(prompts(), LIVELY)
    first = next(answers)
    assert len(taken) <= 4
    rest = list(answers)
    assert len(rest) == 19
    assert _same(first, _alone(text_prompt("question 0"), LIVELY))
    assert _same(rest[-1], _alone(text_prompt("question 19"), LIVELY))
    assert not generator.busy


def test_a_prompt_that_cannot_fit_is_refused_and_withdraws_the_others() -> None:
    generator = _generator(DriftingEngine(context=32))
    with pytest.raises(InputError, match="40 tokens long; at most 31"):
        list(generator.generate([text_prompt("fits"), text_prompt("x" * 40)], LIVELY))
    assert not generator.busy
    with pytest.raises(InputError, match="at most 31"):
        list(generator.stream(text_prompt("x" * 32)))
    assert next(generator.generate([text_prompt("x" * 31)])).tokens <= 1


def test_handles_show_how_far_a_request_is() -> None:
    generator = Generator(DriftingEngine(slots=1, chunk=8), TOKENIZER, fake_spec(()))
    sequence: Sequence = generator.submit(text_prompt("twelve bytes"), SamplingParams(max_tokens=2))
    states = [sequence.state]
    while generator.busy:
        generator.step()
        states.append(sequence.state)
    assert states == ["waiting", "prefilling", "decoding", "finished"]


class _Clumsy(DriftingEngine):
    """Fails in its own way, not in ours, at a slot's first reading."""

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        if slot == 0 and start == 0 and not self.calls:
            self.calls.append(("failed", slot))
            raise ValueError("something odd")
        return super().prefill(slot, embeds, start)


def test_a_failure_that_is_not_one_of_ours_ends_its_own_request_only() -> None:
    generator = _generator(_Clumsy(slots=1))
    failed, other = (generator.submit(text_prompt(text), LIVELY) for text in ("first", "second"))
    _drain(generator)
    assert failed.completion is not None
    assert failed.completion.reason == "error"
    assert "ValueError: something odd" in str(failed.completion.error)
    assert _same(other.completion, _alone(text_prompt("second"), LIVELY))


class _Recorded(DriftingEngine):
    """Keeps the logits that it gave."""

    def __init__(self) -> None:
        super().__init__(slots=1)
        self.given: list[Logits] = []

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        logits = super().prefill(slot, embeds, start)
        self.given = [logits]
        return logits

    def decode(self, tokens: abc.Sequence[int], slots: abc.Sequence[int]) -> Logits:
        logits = super().decode(tokens, slots)
        self.given.append(logits[0].copy())
        return logits


@settings(deadline=None, max_examples=60)
@given(PROMPTS, PARAMS, st.integers(0, 4))
def test_probabilities_are_the_models_own_and_change_no_answer(
    prompt: Prompt, params: SamplingParams, count: int
) -> None:
    engine = _Recorded()
    events = list(_generator(engine).stream(prompt, replace(params, logprobs=count)))
    last = events[-1]
    assert isinstance(last, Finished)
    completion, deltas = last.completion, [event for event in events if isinstance(event, TextDelta)]
    assert _same(completion, _alone(prompt, params))
    assert "".join(event.text for event in deltas) == completion.text
    assert tuple(token for event in deltas for token in event.logprobs) == completion.logprobs
    assert all("".join(token.text for token in event.logprobs) == event.text for event in deltas)
    assert all(event.text for event in deltas[:-1])
    for token, id, logits in zip(completion.logprobs, completion.ids, engine.given, strict=False):
        expected = torch.from_numpy(logits).double().log_softmax(-1)
        values, ids = expected.topk(count)
        assert token.logprob == pytest.approx(float(expected[id]), abs=1e-12)
        assert [other.logprob for other in token.top] == pytest.approx(values.tolist(), abs=1e-12)
        names = [bytes([other]) if other < 256 else b"</s>" if other == STOP else b"" for other in ids.tolist()]
        assert [other.bytes for other in token.top] == names
    assert len(completion.logprobs) == completion.tokens


def test_without_being_asked_for_there_are_no_probabilities() -> None:
    events = list(_generator(DriftingEngine()).stream(text_prompt("well?"), LIVELY))
    assert not any(event.logprobs for event in events if isinstance(event, TextDelta))
    assert isinstance(events[-1], Finished)
    assert events[-1].completion.logprobs == ()


def test_a_completion_tells_what_was_pooled_of_its_images_read_or_reused() -> None:
    generator = _generator(DriftingEngine(slots=1))
    assert next(generator.generate([image_prompt("look ", 7, "why?")], LIVELY)).pooled == (None,)
    generator.forget("")
    generator.pool_images(lambda rows: rows.sum(0))
    first, second = generator.generate([image_prompt("look ", 7, q) for q in ("where?", "when?")], LIVELY)
    assert second.reused_tokens > 0
    for completion in (first, second):
        (pooled,) = completion.pooled
        assert pooled is not None
        assert pooled.shape == (HIDDEN,)
    assert next(generator.generate([text_prompt("and now?")], LIVELY)).pooled == ()
