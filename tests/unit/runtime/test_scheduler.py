from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from statistics import median
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import InputError
from edgekit.inputs.prompt import Prompt, TextPiece
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.scheduler import TAIL, Read, Scheduler, Step, common
from edgekit.runtime.sequence import Sequence
from edgekit.runtime.text import TextStream
from tests.fake_engine import byte_tokenizer

TOKENIZER = byte_tokenizer()


def _sequence(keys: list[int] | range, max_tokens: int = 4, caller: str = "", batch: bool = False) -> Sequence:
    prompt = Prompt((TextPiece(tuple(keys)),))
    return Sequence(
        prompt=prompt,
        max_tokens=max_tokens,
        sampler=Sampler(SamplingParams()),
        stream=TextStream(TOKENIZER, ()),
        submitted=0.0,
        caller=caller,
        batch=batch,
    )


def _run(scheduler: Scheduler, step: Step, token: int = 7) -> None:
    """What the generator does, without an engine: every sampled token is ``token``."""
    sampled = list(step.decode)
    for sequence in step.decode:
        sequence.written += 1
    if step.read is not None:
        step.read.sequence.written = step.read.stop
        if step.read.stop == step.read.sequence.prompt_tokens:
            sampled.append(step.read.sequence)
    for sequence in sampled:
        sequence.append(token)
        if len(sequence.ids) == sequence.max_tokens:
            scheduler.finish(sequence)
            sequence.finish("length")


def _drain(scheduler: Scheduler, token: int = 7) -> Iterator[Step]:
    while scheduler.busy:
        step = scheduler.schedule()
        yield step
        _run(scheduler, step, token)


def _answer(
    scheduler: Scheduler, keys: list[int] | range, max_tokens: int = 4, caller: str = ""
) -> tuple[Sequence, list[Read]]:
    """Run one sequence to its end; its reads."""
    sequence = _sequence(keys, max_tokens, caller)
    scheduler.add(sequence)
    return sequence, [step.read for step in _drain(scheduler) if step.read is not None]


def _spans(reads: list[Read]) -> list[tuple[int, int]]:
    return [(read.start, read.stop) for read in reads]


def _slot(read: Read) -> int | None:
    return read.sequence.slot


@given(length=st.integers(1, 200), chunk=st.integers(1, 20), reused=st.integers(0, 200))
def test_chunks_cover_what_was_not_reused_and_the_last_token_always(length: int, chunk: int, reused: int) -> None:
    scheduler = Scheduler(1, 400, chunk)
    reused = min(reused, length)
    _answer(scheduler, range(reused), 1) if reused else None
    _, reads = _answer(scheduler, [*range(reused), *range(1000, 1000 + length - reused)], 1)
    spans = _spans(reads)
    assert spans[0][0] == min(reused, length - 1)
    assert [stop for _, stop in spans] == [start for start, _ in spans[1:]] + [length]
    assert all(1 <= stop - start <= chunk for start, stop in spans)


def test_a_long_prompt_lets_the_others_go_on_at_every_step() -> None:
    scheduler = Scheduler(2, 1000, 10)
    short, long = _sequence(range(5), 100), _sequence(range(500, 800))
    scheduler.add(short)
    _run(scheduler, scheduler.schedule())
    scheduler.add(long)
    for _ in range(30):
        step = scheduler.schedule()
        assert step.decode == (short,)
        assert step.read is not None
        assert step.read.sequence is long
        _run(scheduler, step)
    assert scheduler.schedule() == Step(None, (short, long))


def test_first_come_first_served() -> None:
    scheduler = Scheduler(2, 100, 10)
    sequences = [_sequence(range(start, start + 15)) for start in range(0, 500, 100)]
    for sequence in sequences:
        scheduler.add(sequence)
    order = [step.read.sequence for step in _drain(scheduler) if step.read is not None]
    assert list(dict.fromkeys(order)) == sequences
    assert not scheduler.waiting


def test_the_next_turn_continues_in_its_own_slot() -> None:
    scheduler = Scheduler(3, 200, 50)
    first, reads = _answer(scheduler, range(20), 4)
    home = reads[0].sequence.slot
    _answer(scheduler, range(100, 120))
    turn = [*first.keys, 50, 51, 52]
    second = _sequence(turn)
    scheduler.add(second)
    read = scheduler.schedule().read
    assert read == Read(second, 20, 27)  # the answer of 4 tokens was decoded, and is read now
    assert home is None  # a finished sequence has no slot
    assert second.reused == 20
    *_, _ = _drain(scheduler)
    third = _sequence([*second.keys, 60])
    scheduler.add(third)
    assert scheduler.schedule().read == Read(third, 27, 32), "the first answer is read once"


def test_a_prompt_asked_again_reads_its_last_token() -> None:
    scheduler = Scheduler(1, 100, 50)
    _answer(scheduler, range(20))
    assert _spans(_answer(scheduler, range(20))[1]) == [(19, 20)]


def test_questions_on_one_image_read_it_once() -> None:
    image = [-1000 - row for row in range(30)]
    scheduler = Scheduler(4, 100, 16)
    sequences = [_sequence([1, 2, *image, question, 60, 61], 10) for question in (40, 41, 42)]
    for sequence in sequences:
        scheduler.add(sequence)
    reads = [step.read for step in _drain(scheduler) if step.read is not None]
    assert _spans(reads) == [(0, 16), (16, 32), (32, 35), (32, 35), (32, 35)]
    assert [read.source for read in reads] == [None, None, None, 0, 0]


def test_a_conversation_is_kept_when_another_shares_its_prefix() -> None:
    scheduler = Scheduler(3, 400, 100)
    image = list(range(1000, 1100))
    first, _ = _answer(scheduler, [*image, *range(TAIL + 1)])
    old = scheduler.slots[0]
    assert old.keys == list(first.prompt.keys)
    other = _sequence([*image, 500, 501, 502])
    scheduler.add(other)
    read = scheduler.schedule().read
    assert read == Read(other, 100, 103, source=0)
    assert other.slot != 0
    assert old.keys == list(first.prompt.keys)


def test_a_short_tail_is_overwritten_in_place() -> None:
    scheduler = Scheduler(3, 400, 100)
    image = list(range(1000, 1100))
    _answer(scheduler, [*image, *range(TAIL - 3)], 4)
    other = _sequence([*image, 500, 501, 502])
    scheduler.add(other)
    assert scheduler.schedule().read == Read(other, 100, 103)
    assert other.slot == 0


def test_the_least_recently_used_slot_goes_first() -> None:
    scheduler = Scheduler(3, 400, 200)
    conversations = [list(range(start, start + 150)) for start in (1000, 2000, 3000)]
    turns = [_answer(scheduler, keys)[0] for keys in conversations]
    _answer(scheduler, [*turns[0].keys, 1, 2, 3])  # the first comes back: now the second is the oldest
    _, reads = _answer(scheduler, range(4000, 4150))
    assert reads[0].source is None
    held = [slot.keys[0] for slot in scheduler.slots]
    assert held == [1000, 4000, 3000]


def test_a_prefix_copied_from_counts_as_used() -> None:
    scheduler = Scheduler(3, 400, 200)
    for start in (1000, 2000, 3000):
        _answer(scheduler, range(start, start + 150))
    _, reads = _answer(scheduler, [*range(2000, 2020), *range(100)])
    assert (reads[0].start, reads[0].source) == (20, 1)
    _answer(scheduler, range(4000, 4150))
    assert [slot.keys[0] for slot in scheduler.slots] == [2000, 2000, 4000]


def test_forgotten_slots_share_nothing() -> None:
    scheduler = Scheduler(1, 100, 50)
    sequence = _sequence(range(20))
    scheduler.add(sequence)
    _run(scheduler, scheduler.schedule())
    scheduler.finish(sequence, forget=True)
    assert _spans(_answer(scheduler, range(20))[1]) == [(0, 20)]


def test_callers_take_turns_by_what_they_cost() -> None:
    scheduler = Scheduler(1, 100, 10)
    asked = [("a", 20, 1), ("a", 20, 1), ("b", 10, 6), ("c", 10, 1), ("c", 10, 1), ("b", 10, 1)]
    for number, (caller, length, max_tokens) in enumerate(asked):
        scheduler.add(_sequence([number] * length, max_tokens, caller))
    order = [step.read.sequence.caller for step in _drain(scheduler) if step.read is not None and not step.read.start]
    assert "".join(order) == "abccab"  # at 22 a token read and two for each generated; b comes to the same


def test_what_is_reused_costs_nothing() -> None:
    scheduler = Scheduler(2, 200, 100)
    for caller, start in (("a", 0), ("a", 0), ("a", 0), ("b", 500), ("b", 500)):
        scheduler.add(_sequence(range(start, start + 100 + 50 * (caller == "b")), 1, caller))
    reads = [(step.read.sequence.caller, step.read.start) for step in _drain(scheduler) if step.read is not None]
    assert reads == [("a", 0), ("b", 0), ("b", 100), ("a", 99), ("a", 99), ("b", 149)]


def test_batch_work_takes_no_last_slot_and_waits_for_all_else() -> None:
    scheduler = Scheduler(2, 100, 50)
    batch = [_sequence(range(number, 20 + number), 9, batch=True) for number in range(2)]
    for sequence in batch:
        scheduler.add(sequence)
    for _ in range(3):
        _run(scheduler, scheduler.schedule())
    assert [sequence.state for sequence in batch] == ["decoding", "waiting"]
    asked = _sequence(range(200, 220), 2)
    scheduler.add(asked)
    read = scheduler.schedule().read
    assert read is not None
    assert read.sequence is asked
    *_, _ = _drain(scheduler)
    assert all(sequence.completion for sequence in (*batch, asked))


@pytest.mark.parametrize("running", [False, True])
def test_of_another_callers_slot_only_what_every_prompt_begins_with_is_reused(running: bool) -> None:
    scheduler = Scheduler(3, 400, 100, public=range(5))
    conversation = [*range(5), *range(500, 590)]
    written = _sequence(conversation, 50 if running else 4, "a")
    scheduler.add(written)
    for _ in range(10):
        _run(scheduler, scheduler.schedule())
    spans = {}
    for caller in "ba":
        asked = _sequence([*conversation, 7, 7, 7], 1, caller)
        scheduler.add(asked)
        read = scheduler.schedule().read
        assert read is not None
        spans[caller] = read.start
        _run(scheduler, Step(read, ()))
    assert spans == {"b": 5, "a": 95}


def test_a_prompt_that_begins_otherwise_shares_nothing_with_other_callers() -> None:
    scheduler = Scheduler(1, 100, 50, public=[1, 2, 3])
    _answer(scheduler, [9, 8, 7, 6], caller="a")
    assert _spans(_answer(scheduler, [9, 8, 7, 6], caller="b")[1]) == [(0, 4)]
    assert _spans(_answer(scheduler, [9, 8, 7, 6], caller="a")[1]) == [(0, 4)]  # its slot is b's now
    assert _spans(_answer(scheduler, [9, 8, 7, 6], caller="a")[1]) == [(3, 4)]


def test_what_is_forgotten_of_one_caller_is_kept_of_the_others() -> None:
    scheduler = Scheduler(3, 100, 50)
    _answer(scheduler, range(20), caller="a")
    _answer(scheduler, range(100, 120), caller="b")
    running = _sequence(range(200, 220), 3, "a")
    scheduler.add(running)
    _run(scheduler, scheduler.schedule())
    waiting = _sequence(range(300, 320), 3, "a")
    scheduler.add(waiting)
    scheduler.forget("a")
    *_, _ = _drain(scheduler)
    assert sorted(map(len, (slot.keys for slot in scheduler.slots))) == [0, 0, 20]
    assert _spans(_answer(scheduler, range(100, 120), caller="b")[1]) == [(19, 20)]
    for start in (0, 200, 300):
        assert _spans(_answer(scheduler, range(start, start + 20), caller="a")[1]) == [(0, 20)]
    assert _spans(_answer(scheduler, range(200, 220), caller="a")[1]) == [(19, 20)]


@pytest.mark.parametrize("admitted", [True, False])
def test_what_still_runs_for_a_forgotten_caller_is_shared_with_nobody_of_its_name(admitted: bool) -> None:
    scheduler = Scheduler(2, 100, 50, public=range(5))
    old, new = _sequence(range(20), 9, "a"), _sequence(range(20), 9, "a")
    scheduler.add(old)
    if admitted:
        _run(scheduler, scheduler.schedule())
    scheduler.forget("a")
    if not admitted:
        _run(scheduler, scheduler.schedule())
    scheduler.add(new)
    read = scheduler.schedule().read
    assert read is not None
    assert (read.sequence, read.start) == (new, 5)


def test_planning_a_step_is_cheap_while_many_callers_wait() -> None:
    scheduler = Scheduler(8, 2048, 128, public=range(40))
    prompts = ([*range(40), *range(1000 * number, 1000 * number + 600)] for number in count(1))
    times_s = []
    for step in range(600):
        while len(scheduler.waiting) < 128:
            scheduler.add(_sequence(next(prompts), 10, caller=f"caller {step} {len(scheduler.waiting)}"))
        before = process_time()
        planned = scheduler.schedule()
        times_s.append(process_time() - before)
        _run(scheduler, planned)
    assert median(times_s) < 0.0005
    assert sum(times_s) / len(times_s) < 0.001


def test_leaving_while_waiting_reading_or_writing_frees_the_place() -> None:
    scheduler = Scheduler(1, 100, 10)
    sequences = [_sequence(range(start, start + 15), 50) for start in (100, 200, 300)]
    for sequence in sequences:
        scheduler.add(sequence)
    scheduler.finish(sequences[1])
    _run(scheduler, scheduler.schedule())
    assert sequences[0].state == "prefilling"
    scheduler.finish(sequences[0])
    assert scheduler.slots[0].keys == list(range(100, 110))
    for _ in range(4):
        _run(scheduler, scheduler.schedule())
    assert sequences[2].state == "decoding"
    scheduler.finish(sequences[2])
    assert not scheduler.busy
    assert scheduler.slots[0].keys == list(range(300, 315))
    assert scheduler.schedule() == Step(None, ())


def test_what_does_not_fit_is_refused() -> None:
    scheduler = Scheduler(1, 50, 10)
    with pytest.raises(InputError, match="50 tokens long; at most 49 fit") as caught:
        scheduler.add(_sequence(range(50)))
    assert "larger context" in caught.value.hint
    with pytest.raises(InputError, match="empty"):
        scheduler.add(_sequence([]))
    assert not scheduler.busy


@pytest.mark.parametrize(("length", "wanted", "given"), [(49, 10, 1), (40, 10, 10), (41, 10, 9), (10, 10, 10)])
def test_the_context_cuts_max_tokens(length: int, wanted: int, given: int) -> None:
    scheduler = Scheduler(1, 50, 10)
    sequence, _ = _answer(scheduler, range(length), wanted)
    assert len(sequence.ids) == given
    assert len(scheduler.slots[0].keys) < 50


@settings(max_examples=100)
@given(
    slots=st.integers(1, 4),
    prompts=st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=12), min_size=1, max_size=10),
)
def test_a_step_never_contradicts_itself(slots: int, prompts: list[list[int]]) -> None:
    scheduler = Scheduler(slots, 20, 4)
    for keys in prompts:
        scheduler.add(_sequence(keys))
    for step in _drain(scheduler):
        rows = [sequence.slot for sequence in step.decode]
        assert rows == sorted(set(rows), key=lambda slot: slot or 0)
        if step.read is not None:
            assert _slot(step.read) not in rows
            assert step.read.sequence.written == step.read.start
            if step.read.source is not None:
                source = scheduler.slots[step.read.source]
                assert source.keys[: step.read.start] == step.read.sequence.keys[: step.read.start]
        assert step.decode or step.read, "a step does something"


@settings(max_examples=100)
@given(
    slots=st.integers(1, 3),
    chunk=st.integers(1, 6),
    prompts=st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=9), min_size=2, max_size=8),
)
def test_nothing_is_taken_over_but_what_was_read(slots: int, chunk: int, prompts: list[list[int]]) -> None:
    """A row is a list of what each position came of; answers are of the prompts' own keys, so they begin others."""
    scheduler = Scheduler(slots, 20, chunk)
    rows: list[list[tuple[str, int]]] = [[] for _ in range(slots)]
    for keys in prompts:
        scheduler.add(_sequence(keys))
    for step in _drain(scheduler, token=1):
        for sequence in step.decode:
            assert sequence.slot is not None
            rows[sequence.slot].append(("decoded", sequence.keys[-1]))
        if step.read is not None:
            read, slot = step.read, _slot(step.read)
            assert slot is not None
            held = rows[slot if read.source is None else read.source]
            keys = read.sequence.keys[: read.stop]
            assert held[: read.start] == [("read", key) for key in keys[: read.start]]
            rows[slot] = [("read", key) for key in keys]


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_common_is_the_length_of_the_shared_start(left: list[int], right: list[int]) -> None:
    length = common(left, right)
    assert left[:length] == right[:length]
    assert left[: length + 1] != right[: length + 1] or length == min(len(left), len(right))
